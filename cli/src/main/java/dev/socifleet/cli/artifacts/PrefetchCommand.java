package dev.socifleet.cli.artifacts;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code soci prefetch}: the group. */
@Command(
    name = "prefetch",
    mixinStandardHelpOptions = true,
    description = "Show the prefetch artifacts that were built here.",
    subcommands = {PrefetchListCommand.class, PrefetchInfoCommand.class})
public final class PrefetchCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
