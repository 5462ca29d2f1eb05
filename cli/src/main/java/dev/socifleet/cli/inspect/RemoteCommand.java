package dev.socifleet.cli.inspect;

import dev.socifleet.cli.Interruptible;
import dev.socifleet.cli.TimeLimit;
import dev.socifleet.cli.remote.RegistryOptions;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageReference;
import java.io.IOException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What the commands on an image at its registry have in common. */
final class RemoteCommand {
  @Mixin private RegistryOptions registry = new RegistryOptions();
  @Mixin private TimeLimit limit = new TimeLimit();

  @Parameters(paramLabel = "REF", description = "The image, e.g. registry.example/team/app:1.0.")
  private String reference = "";

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
          limit.duration(),
          () -> look.at(RemoteImage.find(registries.repository(image.repository()), image)));
    }
  }
}
