package dev.socifleet.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Collectors;

/** Runs the command in this process. */
public final class RunSoci {
  /** What a run printed, and how it ended. */
  public record Ended(int exit, String out, String err) {
    /** What it says about its failure; empty if there was none. */
    public String failure() {
      return err.lines()
          .filter(line -> line.startsWith("soci: ") && !line.startsWith("soci: warning: "))
          .collect(Collectors.joining("\n"));
    }

    public List<String> lines() {
      return out.lines().toList();
    }
  }

  private RunSoci() {}

  public static Ended soci(List<String> arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit =
        Soci.commandLine(arguments)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(arguments.toArray(String[]::new));
    return new Ended(exit, out.toString(), err.toString());
  }

  public static Ended soci(String... arguments) {
    return soci(List.of(arguments));
  }
}
