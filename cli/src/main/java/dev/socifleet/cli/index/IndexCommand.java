package dev.socifleet.cli.index;

import dev.socifleet.cli.CommandGroup;
import dev.socifleet.cli.artifacts.IndexInfoCommand;
import dev.socifleet.cli.artifacts.IndexListCommand;
import dev.socifleet.cli.artifacts.IndexRemoveCommand;
import picocli.CommandLine.Command;

/** {@code soci index}: the commands on indexes. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    description = "Build SOCI indexes at a registry; list and remove local ones.")
public final class IndexCommand extends CommandGroup {
  IndexCommand() {
    super(
        new Part("create", IndexCreateCommand.class),
        new Part("list", IndexListCommand.class),
        new Part("info", IndexInfoCommand.class),
        new Part("remove", IndexRemoveCommand.class));
  }
}
