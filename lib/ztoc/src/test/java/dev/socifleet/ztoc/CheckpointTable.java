package dev.socifleet.ztoc;

import dev.socifleet.ztoc.streams.Commands;
import dev.socifleet.ztoc.streams.Contents;
import dev.socifleet.ztoc.streams.DeflaterStreams;
import dev.socifleet.ztoc.streams.EncoderStreams;
import dev.socifleet.ztoc.streams.OddStreams;
import dev.socifleet.ztoc.streams.Stream;
import dev.socifleet.ztoc.streams.ZlibOracle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The committed streams and what zlib said of them when they were made: for each stream and span
 * size a line {@code name, stream's SHA-256, span size, checkpoints, SHA-256 of them}. The latter
 * is over all that a zTOC stores: offsets, bits and windows.
 *
 * <p>{@link #main} makes them anew, which is only needed to add streams: other versions of the
 * encoders write other bytes.
 */
final class CheckpointTable {
  static final long[] SPAN_SIZES = {1, 1000, 64 << 10, 1 << 20, 4 << 20};

  private static final String TABLE = "streams/checkpoints.csv";

  record Line(String stream, String sha256, long spanSize, int count, String checkpoints) {
    static Line of(Stream stream, long spanSize, byte[] checkpoints) {
      int count = (checkpoints.length - Checkpoints.HEAD) / Checkpoints.SIZE;
      return new Line(
          stream.name(),
          TestLayers.sha256(stream.bytes()),
          spanSize,
          count,
          TestLayers.sha256(checkpoints));
    }

    private String text() {
      return String.join(
          ",", stream, sha256, String.valueOf(spanSize), String.valueOf(count), checkpoints);
    }
  }

  private CheckpointTable() {}

  static List<Line> lines() {
    String text = new String(TestLayers.resource(TABLE), StandardCharsets.US_ASCII);
    return text.lines()
        .map(line -> line.split(","))
        .map(f -> new Line(f[0], f[1], Long.parseLong(f[2]), Integer.parseInt(f[3]), f[4]))
        .toList();
  }

  /** All streams of the table, each once: those that code writes, and those in files. */
  static List<Stream> streams() {
    List<Stream> streams = new ArrayList<>(OddStreams.all());
    List<String> odd = streams.stream().map(Stream::name).toList();
    lines().stream()
        .map(Line::stream)
        .distinct()
        .filter(name -> !odd.contains(name))
        .forEach(
            name -> streams.add(new Stream(name, TestLayers.resource("streams/" + name + ".gz"))));
    return streams;
  }

  /** Writes the table and the streams into {@code src/test/resources}; from the module's folder. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of("src/test/resources/streams");
    Path temporary = Files.createTempDirectory("streams");
    List<Stream> streams = new ArrayList<>();
    Path encoder = Commands.compiled("zlib_encoder", temporary);
    streams.addAll(EncoderStreams.all(encoder, temporary, 15_000));
    streams.addAll(DeflaterStreams.all(12_000));
    byte[] large = Contents.runs(1, 30_000_000);
    for (int level : new int[] {1, 6, 9}) {
      streams.add(new Stream("large-" + level, DeflaterStreams.gzip(large, level, 0, 2, 999_999)));
    }
    Files.createDirectories(folder);
    for (Stream stream : streams) {
      Files.write(folder.resolve(stream.name() + ".gz"), stream.bytes());
    }
    streams.addAll(OddStreams.all());
    List<String> table = new ArrayList<>();
    try (ZlibOracle oracle = ZlibOracle.start(Commands.compiled("zlib_oracle", temporary))) {
      for (Stream stream : streams) {
        for (long spanSize : SPAN_SIZES) {
          ZlibOracle.Answer answer = oracle.ask(stream.bytes(), spanSize);
          if (!answer.sound()) {
            throw new IllegalStateException(stream + ": zlib refuses it with " + answer.code());
          }
          table.add(Line.of(stream, spanSize, answer.checkpoints()).text());
        }
      }
    }
    Path parent = Objects.requireNonNull(folder.resolve("checkpoints.csv"));
    Files.write(parent, table, StandardCharsets.US_ASCII);
  }
}
