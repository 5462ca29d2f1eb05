package dev.socifleet.cli.rpull;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.ContainerdOptions;
import dev.socifleet.cli.ContainerdOptions.Containerd;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.Soci;
import dev.socifleet.cli.Terminal;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Platforms;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci rpull}: the image can be run before its layers are downloaded. */
@Command(
    name = "rpull",
    mixinStandardHelpOptions = true,
    description = {
      "Pull an image through containerd so that its layers are read when they are needed.",
      "Layers without a zTOC are downloaded and unpacked."
    },
    footer = {
      "",
      "Examples:",
      "  soci rpull localhost:5000/app:1.0",
      "  soci rpull --all-platforms localhost:5000/app:1.0",
      "  ctr run --rm --snapshotter soci localhost:5000/app:1.0 app1"
    })
public final class RpullCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;
  @Mixin private ContainerdOptions containerd = new ContainerdOptions();
  @Mixin private RegistryOptions registry = new RegistryOptions();

  @Parameters(paramLabel = "REF", description = "The image, e.g. registry.example/team/app:1.0.")
  private String reference = "";

  @Option(
      names = "--snapshotter",
      paramLabel = "NAME",
      defaultValue = "${env:CONTAINERD_SNAPSHOTTER:-soci}",
      description = "containerd's name of the snapshotter ($CONTAINERD_SNAPSHOTTER, soci).")
  private String snapshotter = "soci";

  @Option(
      names = {"-p", "--platform"},
      paramLabel = "OS/ARCH[/VARIANT]",
      split = ",",
      description = "The platform to pull (this machine's); may be repeated.")
  private List<String> platforms = new ArrayList<>();

  @Option(
      names = "--all-platforms",
      description = "Pull every platform that the image has, e.g. to run others by emulation.")
  private boolean all;

  @Option(
      names = "--soci-index-digest",
      paramLabel = "DIGEST",
      description = "The SOCI index to use, instead of the one that is found.")
  private @Nullable String index;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print only the image's digest.")
  private boolean quiet;

  @Option(names = "--json", description = "Print one JSON object at the end.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Containerd target =
        containerd.resolve(
            soci == null ? new ContainerdOptions() : soci.containerd(), System.getenv());
    PullRequest request =
        new PullRequest(
            parse("REF", reference, ImageReference::parse),
            platforms.stream().map(text -> parse("--platform", text, Platforms::parse)).toList(),
            all,
            Optional.ofNullable(index)
                .map(text -> parse("--soci-index-digest", text, Digest::parse)),
            target.namespace(),
            snapshotter);
    if (request.several() && index != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--soci-index-digest is the index of one platform; pull them one by one");
    }
    PullOutput output =
        new PullOutput(
            spec.commandLine().getOut(),
            json ? PullOutput.Form.JSON : quiet ? PullOutput.Form.QUIET : PullOutput.Form.LINES,
            Terminal.find().isPresent(),
            request.several());
    try (ContainerdChannel channel = target.open();
        HttpRegistries registries = registry.open(request.image())) {
      List<PullResult> results =
          Interruptible.run(
              "the pull",
              target.timeout(),
              new Pull(
                      request, channel, registries.repository(request.image().repository()), output)
                  ::run);
      output.done(results, request);
      return 0;
    } catch (IOException e) {
      output.erase();
      throw PullFailures.explain(e, request);
    } catch (CommandFailure e) {
      output.erase();
      throw e;
    }
  }

  private <T> T parse(String what, String text, Function<String, T> parser) {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), what + ": " + e.getMessage());
    }
  }
}
