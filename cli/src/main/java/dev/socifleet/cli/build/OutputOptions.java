package dev.socifleet.cli.build;

import dev.socifleet.cli.Terminal;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** How a command that builds is shown. */
public final class OutputOptions {
  @Option(
      names = {"-q", "--quiet"},
      description = "Print only the resulting digest.")
  private boolean quiet;

  @Option(names = "--json", description = "Print one JSON object at the end.")
  private boolean json;

  /** The lines of a command, at its output and its terminal. */
  public BuildOutput open(CommandSpec command) {
    return new BuildOutput(
        command.commandLine().getOut(),
        command.commandLine().getErr(),
        json ? BuildOutput.Form.JSON : quiet ? BuildOutput.Form.QUIET : BuildOutput.Form.LINES,
        Terminal.find().isPresent());
  }
}
