package dev.socifleet.bench;

import dev.socifleet.bench.Stopwatch.Timed;
import dev.socifleet.ztoc.LayerReader;
import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Decodes and indexes whole layers beside zlib and gzip, in this process and in new ones, reads
 * them with one and two threads, and prints ratios of times: medians of the rounds, with the least
 * and the most.
 */
final class LayerBench {
  /** Layers of less than this (uncompressed) say nothing of a new process but how it starts. */
  private static final long LARGE = 250_000_000;

  private final int rounds;
  private final List<Row> rows = new ArrayList<>();

  /** For each layer, how much faster than zlib. */
  private final List<Double> speeds = new ArrayList<>();

  private LayerBench(int rounds) {
    this.rounds = rounds;
  }

  /** {@code [--rounds N] LAYER... [--builds LAYER...]}; of the latter only the zTOCs are built. */
  public static void main(String[] arguments) throws Exception {
    int first = arguments.length > 0 && arguments[0].equals("--rounds") ? 2 : 0;
    LayerBench bench = new LayerBench(first == 0 ? 5 : Integer.parseInt(arguments[1]));
    String before = Machine.load();
    boolean whole = true;
    for (int i = first; i < arguments.length; i++) {
      if (arguments[i].equals("--builds")) {
        whole = false;
      } else {
        bench.layer(Path.of(arguments[i]), whole);
      }
    }
    bench.overall();
    bench.rows.addAll(MemoryProbe.rows());
    System.out.println(Machine.description());
    System.out.println(
        "Rounds: " + bench.rounds + ". Load before: " + before + ", after: " + Machine.load());
    System.out.println();
    System.out.println(Row.table(bench.rows));
  }

  /**
   * What hardly compresses is nearly all literals, which have to be looked up one after the other:
   * in that nobody is much faster, so the goal is for all layers together.
   */
  private void overall() {
    double logarithms = speeds.stream().mapToDouble(Math::log).average().orElse(0);
    rows.add(
        Row.atLeast(
            1.6,
            "inflate, speed",
            "geometric mean of these",
            "java.util.zip.Inflater",
            new double[] {Math.exp(logarithms)}));
  }

  private void layer(Path path, boolean whole) throws Exception {
    ZtocOutcome.Built built = GzipLayer.build(path);
    long size = built.uncompressedBytes();
    String name =
        "%s, %d of %d MB"
            .formatted(
                path.getFileName().toString().replace(".tar.gz", ""),
                built.compressedBytes() / 1_000_000,
                size / 1_000_000);
    System.err.println("bench: " + name);
    if (whole) {
      inflate(path, name);
    }
    builds(path, size, name);
    if (whole) {
      wholeRead(path, Ztoc.parse(built.bytes()), name);
    }
  }

  private void inflate(Path path, String name) throws Exception {
    byte[] layer = Files.readAllBytes(path);
    Timed ours = new Timed(() -> GzipLayer.ours(layer));
    Timed zlib = new Timed(() -> GzipLayer.zlib(layer));
    Stopwatch.run(rounds, List.of(ours, zlib));
    double[] speed = zlib.processorAgainst(ours);
    speeds.add(Row.median(speed));
    rows.add(Row.plain("inflate, speed", name, "java.util.zip.Inflater", speed));
  }

  private void builds(Path path, long size, String name) throws Exception {
    Timed gzip = new Timed(() -> Stopwatch.command(List.of("gzip", "-dc", path.toString())));
    Timed warm = new Timed(() -> GzipLayer.build(path));
    List<Timed> builds = new ArrayList<>(List.of(gzip, warm));
    String soci = System.getProperty("bench.soci", "");
    Timed cold =
        new Timed(() -> Stopwatch.command(List.of(soci, "ztoc", "build", path.toString())));
    if (!soci.isEmpty() && size >= LARGE) {
      builds.add(cold);
    }
    Stopwatch.run(rounds, builds);
    rows.add(Row.atMost(0.3, "zTOC build, warm, time", name, "gzip -dc", warm.against(gzip)));
    if (builds.contains(cold)) {
      rows.add(
          Row.atMost(0.4, "zTOC build, new process, time", name, "gzip -dc", cold.against(gzip)));
    }
  }

  private void wholeRead(Path path, Ztoc ztoc, String name) throws Exception {
    try (FileChannel file = FileChannel.open(path)) {
      SpanReader.Source source = (start, end) -> read(file, start, end);
      Timed one = new Timed(() -> read(ztoc, source, 1));
      Timed two = new Timed(() -> read(ztoc, source, 2));
      Stopwatch.run(rounds, List.of(one, two));
      rows.add(
          Row.atLeast(1.8, "whole read, 2 threads, speed", name, "1 thread", one.against(two)));
    }
  }

  private static boolean read(Ztoc ztoc, SpanReader.Source source, int threads) throws IOException {
    new LayerReader(ztoc, source, threads).copyTo(OutputStream.nullOutputStream());
    return true;
  }

  private static byte[] read(FileChannel file, long start, long end) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) (end - start));
    while (bytes.hasRemaining()) {
      if (file.read(bytes, start + bytes.position()) < 0) {
        throw new IOException("the layer became shorter");
      }
    }
    return bytes.array();
  }
}
