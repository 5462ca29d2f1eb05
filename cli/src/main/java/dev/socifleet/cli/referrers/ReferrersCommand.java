package dev.socifleet.cli.referrers;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code soci referrers}: what refers to an image at its registry. */
@Command(
    name = "referrers",
    mixinStandardHelpOptions = true,
    description = "Copy an image's signatures and SBOMs to the image that was made of it.",
    subcommands = ReferrersCopyCommand.class)
public final class ReferrersCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
