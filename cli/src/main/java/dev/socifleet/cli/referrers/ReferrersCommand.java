package dev.socifleet.cli.referrers;

import dev.socifleet.cli.CommandGroup;
import picocli.CommandLine.Command;

/** {@code soci referrers}: what refers to an image at its registry. */
@Command(
    name = "referrers",
    mixinStandardHelpOptions = true,
    description = "Copy an image's signatures and SBOMs to the image that was made of it.")
public final class ReferrersCommand extends CommandGroup {
  ReferrersCommand() {
    super(new Part("copy", ReferrersCopyCommand.class));
  }
}
