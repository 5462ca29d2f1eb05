package dev.socifleet.cli.convert;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** Runs {@code soci convert --standalone} in this process. */
final class RunConvert {
  /** What a run printed, and how it ended. */
  record Ended(int exit, String out, String err, String failure) {}

  private RunConvert() {}

  static Ended standalone(String format, Path in, Path out, List<String> arguments) {
    List<String> all = new ArrayList<>(List.of("--standalone", "--format", format));
    all.addAll(arguments);
    all.add(in.toString());
    all.add(out.toString());
    StringWriter printed = new StringWriter();
    StringWriter errors = new StringWriter();
    String[] failure = {""};
    int exit =
        new CommandLine(new ConvertCommand())
            .setOut(new PrintWriter(printed, true))
            .setErr(new PrintWriter(errors, true))
            .setExecutionExceptionHandler((e, command, parsed) -> {
              failure[0] = String.valueOf(e.getMessage());
              return 1;
            })
            .execute(all.toArray(String[]::new));
    return new Ended(exit, printed.toString(), errors.toString(), failure[0]);
  }
}
