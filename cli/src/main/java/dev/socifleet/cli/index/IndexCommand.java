package dev.socifleet.cli.index;

import dev.socifleet.cli.Soci;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code soci index}: the commands on indexes. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    description = "Build SOCI indexes at a registry; list and remove local ones.",
    subcommands = {IndexCreateCommand.class})
public final class IndexCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();
  @ParentCommand private @Nullable Soci soci;

  Optional<Soci> soci() {
    return Optional.ofNullable(soci);
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
