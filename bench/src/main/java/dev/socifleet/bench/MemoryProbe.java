package dev.socifleet.bench;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Indexes layers of extreme sizes in new processes with a small heap, and says what they took. */
final class MemoryProbe {
  private MemoryProbe() {}

  static List<Row> rows() throws IOException, InterruptedException {
    return List.of(
        row("-Xmx256m", "oneFile", 2048, "a layer of 2 GiB", "256 MiB heap"),
        row("-Xmx1g", "emptyFiles", 1_000_000, "a million files", "1 GiB heap"));
  }

  private static Row row(String heap, String kind, int n, String of, String goal)
      throws IOException, InterruptedException {
    System.err.println("bench: " + of + " in " + goal);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                MemoryProbe.class.getName(),
                kind,
                String.valueOf(n))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String peak =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    boolean done = process.waitFor() == 0;
    return new Row(
        "zTOC build, peak memory", of, "-", done ? peak : "failed", goal, done ? "yes" : "no");
  }

  /** In the new process: the kind of layer and its size. */
  public static void main(String[] arguments) throws IOException {
    int n = Integer.parseInt(arguments[1]);
    InputStream layer =
        arguments[0].equals("oneFile") ? MadeLayer.oneFile(n) : MadeLayer.emptyFiles(n);
    ZtocOutcome outcome =
        ZtocBuilder.build(
            layer, Compression.GZIP, ZtocOptions.ofSpanSize(ZtocOptions.DEFAULT_SPAN_SIZE));
    if (!(outcome instanceof ZtocOutcome.Built built)) {
      throw new IOException("refused: " + outcome);
    }
    System.out.printf("%d MiB RSS, zTOC of %d MiB%n", peakMib(), built.bytes().length >> 20);
  }

  private static long peakMib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10)
        .findFirst()
        .orElse(-1);
  }
}
