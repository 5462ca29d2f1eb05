package dev.socifleet.cli.inspect;

import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.sociindex.PlatformChoice;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci verify}: do the indexes fit the image? */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Check at its registry that an image's SOCI indexes fit it.",
      "Every zTOC can be read, every span and file is the layer's. Reads every layer once."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every index fits",
      "1:one doesn't, or there is none, or the image can't be read",
      "2:wrong usage"
    },
    footer = {
      "",
      "Examples:",
      "  soci verify registry.example/app:1.0",
      "  soci verify --quick --platform linux/arm64 registry.example/app:1.0"
    })
public final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private RemoteCommand remote = new RemoteCommand();
  @Mixin private PlatformOptions platforms = new PlatformOptions();

  @Option(names = "--quick", description = "Read no layers: only indexes and zTOCs.")
  private boolean quick;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    return remote.run("the check", this::verify);
  }

  private int verify(RemoteImage image) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Verification verification =
        new Verification(
            image,
            !quick,
            line -> {
              if (!json) {
                out.println(line);
                out.flush();
              }
            });
    verification.run(image.chosen(platforms.choice(new PlatformChoice.All())));
    if (json) {
      out.println(verification.json().toString());
    } else {
      out.println(
          count(verification.indexes(), "index", "indexes")
              + ", "
              + count(verification.ztocs(), "zTOC", "zTOCs")
              + (quick ? " (layers weren't read)" : "")
              + ", "
              + (verification.problems() == 0
                  ? "nothing wrong"
                  : verification.problems() + " wrong: build them anew with soci index create -f"));
    }
    out.flush();
    return verification.problems() > 0 || verification.indexes() == 0 ? 1 : 0;
  }

  private static String count(int number, String one, String several) {
    return number + " " + (number == 1 ? one : several);
  }
}
