package dev.socifleet.cli.inspect;

import dev.socifleet.cli.GoDuration;
import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import java.io.IOException;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the commands on an image at its registry have in common. */
final class RemoteCommand {
  @Mixin private RegistryOptions registry = new RegistryOptions();

  @Parameters(paramLabel = "REF", description = "The image, e.g. registry.example/team/app:1.0.")
  private String reference = "";

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = GoDuration.class,
      defaultValue = "0",
      description = "How long it may take, such as 90s or 1h30m (no limit).")
  private Duration timeout = Duration.ZERO;

  /** Looks at an image. */
  @FunctionalInterface
  interface Look {
    int at(RemoteImage image) throws IOException;
  }

  int run(String what, Look look) throws Exception {
    ImageReference image = RemoteImage.parse(reference);
    try (HttpRegistries registries = registry.open(image)) {
      return Interruptible.run(
          what,
          timeout,
          () -> look.at(RemoteImage.find(registries.repository(image.repository()), image)));
    }
  }
}
