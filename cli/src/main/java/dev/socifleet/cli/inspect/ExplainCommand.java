package dev.socifleet.cli.inspect;

import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.remote.RemoteImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci explain}: what a node will do with an image. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description = {"Say which layers of an image a node will read lazily, and why not the others."},
    footer = {
      "",
      "Examples:",
      "  soci explain registry.example/app:1.0",
      "  soci explain --platform linux/arm64 --json registry.example/app:1.0"
    })
public final class ExplainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private RemoteCommand remote = new RemoteCommand();
  @Mixin private PlatformOptions platforms = new PlatformOptions();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    return remote.run("explaining the image", this::explain);
  }

  private int explain(RemoteImage image) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Explanation explanation =
        Explanation.of(image, image.chosen(platforms.choice(PlatformOptions.standard())));
    if (json) {
      out.println(explanation.json().toString());
    } else {
      explanation.lines().forEach(out::println);
    }
    out.flush();
    return 0;
  }
}
