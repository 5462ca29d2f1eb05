package dev.socifleet.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What it was measured on. */
final class Machine {
  private Machine() {}

  static String description() throws IOException {
    String processor =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.replaceFirst(".*: ", ""))
            .findFirst()
            .orElse("unknown processor");
    return String.join(
        ", ",
        Runtime.getRuntime().availableProcessors() + " x " + processor,
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        "Java " + System.getProperty("java.vm.version"),
        "commit " + System.getProperty("bench.commit", "unknown"));
  }

  /**
   * Of the last minute; more than the benchmark itself makes means that ratios are not to trust.
   */
  static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
  }
}
