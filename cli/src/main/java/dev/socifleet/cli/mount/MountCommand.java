package dev.socifleet.cli.mount;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Launcher;
import dev.socifleet.cli.Machine;
import dev.socifleet.node.control.ControlClient;
import dev.socifleet.node.mounts.MountedImage;
import dev.socifleet.node.mounts.MountedImage.MountedLayer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci mount}: the files of an image in a directory, read when they are needed. */
@Command(
    name = "mount",
    mixinStandardHelpOptions = true,
    description = {
      "Mount an image's files, read when they are needed; through the node, without containerd.",
      "Layers without a zTOC are downloaded and unpacked by the node."
    },
    footer = {
      "",
      "Example:",
      "  soci mount localhost:5000/app:1.0 /mnt/app",
      "  soci unmount /mnt/app"
    })
public final class MountCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "The image, e.g. registry.example/team/app:1.0.")
  private String image = "";

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description = "Where to mount it; made if it isn't there.")
  private Path directory = Path.of("");

  @Option(
      names = {"-p", "--platform"},
      paramLabel = "OS/ARCH",
      defaultValue = "",
      description = "The platform to mount (this machine's).")
  private String platform = "";

  @Option(
      names = "--writable",
      paramLabel = "DIR",
      description = "Let the files be changed; DIR keeps what is changed, also after unmounting.")
  private @Nullable Path changes;

  @Option(
      names = {"-o", "--options"},
      paramLabel = "OPTIONS",
      defaultValue = "",
      description = "More options for mount(8). Without suid and dev there: nosuid,nodev.")
  private String options = "";

  @Option(
      names = "--node",
      paramLabel = "SOCKET",
      defaultValue = "/var/lib/soci-snapshotter-grpc/control.sock",
      description = "The node's control socket (${DEFAULT-VALUE}).")
  private Path node = Path.of("");

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Machine.needRoot("soci mount");
    Machine.needProgram("mount", "mount");
    boolean made = Files.notExists(directory);
    Path target = Files.createDirectories(directory).toRealPath();
    try {
      mountAt(target);
      made = false;
    } finally {
      if (made) {
        Files.deleteIfExists(target);
      }
    }
    return 0;
  }

  private void mountAt(Path target) throws IOException, InterruptedException {
    if (OverlayMount.idAt(target).isPresent()) {
      throw new CommandFailure(
          "an image is mounted at " + target + " already; unmount it: " + unmount(target));
    }
    ControlClient client = new ControlClient(node);
    MountedImage mounted = client.mount(image, platform);
    Thread giveBack = new Thread(() -> release(client, mounted.id()));
    // Ctrl-C between the node's answer and the mount must not leave the layers held.
    Runtime.getRuntime().addShutdownHook(giveBack);
    boolean done = false;
    try {
      OverlayMount.mount(mounted, target, Optional.ofNullable(changes).map(this::real), options);
      done = true;
    } finally {
      Runtime.getRuntime().removeShutdownHook(giveBack);
      if (!done) {
        release(client, mounted.id());
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonMapper mapper = new JsonMapper();
      ObjectNode said = mapper.createObjectNode().put("directory", target.toString());
      said.set("mount", mapper.valueToTree(mounted));
      out.println(mapper.writeValueAsString(said));
    } else {
      tell(out, mounted, target);
    }
    out.flush();
  }

  private String unmount(Path target) {
    String which =
        node.equals(ControlClient.STANDARD_SOCKET)
            ? ""
            : "--node " + Launcher.quoted(node.toAbsolutePath()) + " ";
    return Launcher.command() + " unmount " + which + Launcher.quoted(target);
  }

  private void tell(PrintWriter out, MountedImage mounted, Path target) {
    List<MountedLayer> unpacked = mounted.layers().stream().filter(layer -> !layer.lazy()).toList();
    out.printf("%s is mounted at %s%n", mounted.image(), target);
    out.printf("  layers read lazily: %d%n", mounted.layers().size() - unpacked.size());
    for (MountedLayer layer : unpacked) {
      out.printf("  downloaded: %s, %,d bytes: %s%n", layer.digest(), layer.size(), layer.detail());
    }
    out.printf("Unmount it with: %s%n", unmount(target));
  }

  private Path real(Path path) {
    try {
      return Files.createDirectories(path).toRealPath();
    } catch (IOException e) {
      throw new CommandFailure("cannot keep changes in " + path + ": " + e);
    }
  }

  private static void release(ControlClient client, String id) {
    try {
      client.release(id);
    } catch (IOException e) {
      System.err.println("soci: the node still holds mount " + id + ": " + e.getMessage());
    }
  }
}
