package dev.socifleet.cli.install;

import dev.socifleet.cli.CommandFailure;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci uninstall}. */
@Command(
    name = "uninstall",
    mixinStandardHelpOptions = true,
    description = {
      "Take away what soci install brought, and put back the program that had its name.",
      "Images, indexes and the state of services stay."
    },
    footer = {"", "Example:", "  soci uninstall --prefix /opt/soci"})
public final class UninstallCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--prefix",
      paramLabel = "DIR",
      description = "Where it was installed (/usr/local for root, else ~/.local).")
  private @Nullable Path prefix;

  @Override
  public Integer call() throws Exception {
    Installation place = InstallCommand.at(prefix);
    List<Path> gone = place.uninstall();
    if (gone.isEmpty()) {
      throw new CommandFailure(
          "soci isn't installed in " + place.prefix() + "; say where with --prefix");
    }
    PrintWriter out = spec.commandLine().getOut();
    gone.forEach(file -> out.println("removed " + file));
    out.flush();
    return 0;
  }
}
