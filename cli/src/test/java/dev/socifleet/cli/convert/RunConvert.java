package dev.socifleet.cli.convert;

import dev.socifleet.cli.RunSoci;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs {@code soci convert --standalone} in this process. */
final class RunConvert {
  private RunConvert() {}

  static RunSoci.Ended standalone(String format, Path in, Path out, List<String> arguments) {
    List<String> all = new ArrayList<>(List.of("convert", "--standalone", "--format", format));
    all.addAll(arguments);
    all.add(in.toString());
    all.add(out.toString());
    return RunSoci.soci(all);
  }
}
