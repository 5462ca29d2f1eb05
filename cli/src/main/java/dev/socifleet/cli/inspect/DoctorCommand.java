package dev.socifleet.cli.inspect;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.socifleet.cli.ContainerdOptions;
import dev.socifleet.cli.Launcher;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci doctor}: what this machine lacks, and what to do. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Look whether this machine can start images lazily.",
      "Kernel, FUSE, containerd and its configuration, the snapshotter; with an image, its "
          + "registry too. Changes nothing."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:nothing fails", "1:something does", "2:wrong usage"},
    footer = {"", "Examples:", "  sudo soci doctor", "  sudo soci doctor registry.example/app:1.0"})
public final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private ContainerdOptions containerd = new ContainerdOptions();
  @Mixin private RegistryOptions registry = new RegistryOptions();

  @Parameters(arity = "0..1", paramLabel = "REF", description = "An image to ask its registry for.")
  private @Nullable String reference;

  @Option(
      names = "--containerd-config",
      paramLabel = "FILE",
      defaultValue = "/etc/containerd/config.toml",
      description = "containerd's configuration (${DEFAULT-VALUE}).")
  private Path config = Path.of("/etc/containerd/config.toml");

  @Option(names = "--json", description = "Print a JSON array.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    List<Finding> found = new ArrayList<>(KernelChecks.run());
    found.add(onThePath());
    found.addAll(
        new ContainerdChecks(
                containerd.resolve(
                    soci == null ? new ContainerdOptions() : soci.containerd(), System.getenv()),
                config)
            .run());
    if (reference != null) {
      found.add(image(RemoteImage.parse(reference)));
    }
    print(found);
    return found.stream().anyMatch(one -> one.level() == Finding.Level.FAIL) ? 1 : 0;
  }

  private void print(List<Finding> found) {
    PrintWriter out = spec.commandLine().getOut();
    ArrayNode array = new JsonMapper().createArrayNode();
    for (Finding one : found) {
      String level = one.level().name().toLowerCase(Locale.ROOT);
      array.addObject().put("level", level).put("what", one.what()).put("do", one.advice());
      if (!json) {
        out.printf(Locale.ROOT, "%-5s %s%n", level, one.what());
        if (!one.advice().isEmpty()) {
          out.println("      -> " + one.advice());
        }
      }
    }
    if (json) {
      out.println(array.toPrettyString());
    }
    out.flush();
  }

  private static Finding onThePath() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, "soci")))
        ? Finding.ok("soci is on the PATH, where nerdctl looks for it")
        : Finding.warn(
            "there is no soci on the PATH: nerdctl can't push or convert with it",
            "put it there: " + Launcher.command() + " install");
  }

  private Finding image(ImageReference image) {
    try (HttpRegistries registries = registry.open(image)) {
      RemoteImage found = RemoteImage.find(registries.repository(image.repository()), image);
      return Finding.ok(image + " can be read: " + found.target().digest());
    } catch (IOException | RuntimeException e) {
      return Finding.fail(
          String.valueOf(e.getMessage()),
          "check the name, the network, and docker login or --user");
    }
  }
}
