package dev.socifleet.cli.index;

import dev.socifleet.cli.artifacts.IndexInfoCommand;
import dev.socifleet.cli.artifacts.IndexListCommand;
import dev.socifleet.cli.artifacts.IndexRemoveCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code soci index}: the commands on indexes. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    description = "Build SOCI indexes at a registry; list and remove local ones.",
    subcommands = {
      IndexCreateCommand.class,
      IndexListCommand.class,
      IndexInfoCommand.class,
      IndexRemoveCommand.class
    })
public final class IndexCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
