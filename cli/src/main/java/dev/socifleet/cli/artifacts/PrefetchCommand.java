package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.CommandGroup;
import picocli.CommandLine.Command;

/** {@code soci prefetch}: the group. */
@Command(
    name = "prefetch",
    mixinStandardHelpOptions = true,
    description = "Show the prefetch artifacts that were built here.")
public final class PrefetchCommand extends CommandGroup {
  PrefetchCommand() {
    super(new Part("list", PrefetchListCommand.class), new Part("info", PrefetchInfoCommand.class));
  }
}
