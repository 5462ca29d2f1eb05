package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.ztoc.streams.BlockWriter;
import dev.socifleet.ztoc.streams.Stream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our checkpoints are those of zlib: on streams for which zlib was asked when they were made. */
class CheckpointsTest {
  private static final Map<String, List<CheckpointTable.Line>> LINES =
      CheckpointTable.lines().stream().collect(Collectors.groupingBy(CheckpointTable.Line::stream));

  static List<Stream> streams() {
    return CheckpointTable.streams();
  }

  @Test
  void tableHasEveryEncoder() {
    assertThat(LINES).hasSizeGreaterThan(300);
    assertThat(LINES.keySet())
        .anyMatch(name -> name.startsWith("gzip-"))
        .anyMatch(name -> name.startsWith("pigz-"))
        .anyMatch(name -> name.startsWith("zopfli-"))
        .anyMatch(name -> name.startsWith("libdeflate-"))
        .anyMatch(name -> name.startsWith("java-"))
        .anyMatch(name -> name.startsWith("odd-"));
  }

  @ParameterizedTest
  @MethodSource("streams")
  void checkpointsAreZlibs(Stream stream) {
    List<CheckpointTable.Line> wanted = LINES.getOrDefault(stream.name(), List.of());
    assertThat(wanted).hasSize(CheckpointTable.SPAN_SIZES.length);
    long seed = new Random().nextLong();
    for (CheckpointTable.Line line : wanted) {
      for (Random pieces : Arrays.asList(null, new Random(seed))) {
        StreamPass pass = StreamPass.over(stream.bytes(), line.spanSize(), pieces);

        assertThat(pass.failure()).isNull();
        assertThat(CheckpointTable.Line.of(stream, line.spanSize(), pass.checkpoints()))
            .as("pieces of seed %s", pieces == null ? "none" : seed)
            .isEqualTo(line);
      }
      if (startsAsAnEmptyArchive(stream)) {
        ZtocOutcome.Built built =
            TestLayers.built(stream.bytes(), Compression.GZIP, line.spanSize());
        assertThat(CheckpointTable.Line.of(stream, line.spanSize(), checkpoints(built)))
            .as("built from a stream")
            .isEqualTo(line);
      }
    }
  }

  /** Each would be a checkpoint of 32 KiB, for ten bits of the layer. */
  @Test
  void layerThatBeginsWithEmptyBlocksWithoutEndIsRefused() {
    BlockWriter layer = new BlockWriter().header();
    for (int i = 0; i < 10_000; i++) {
      layer.fixed(false).end();
    }
    byte[] bytes = layer.fixed(true).end().trailer().bytes();

    assertThat(TestLayers.build(bytes, Compression.GZIP, 4 << 20))
        .isEqualTo(
            new ZtocOutcome.NotIndexable(
                "gzip: more than 256 empty blocks before the first byte at compressed offset "
                    + "330"));
  }

  /** Of those of code, only a few hold what a tar reader takes; of the files all do. */
  private static boolean startsAsAnEmptyArchive(Stream stream) {
    return !stream.name().startsWith("odd-");
  }

  private static byte[] checkpoints(ZtocOutcome.Built built) {
    Ztoc ztoc;
    try {
      ztoc = Ztoc.parse(built.bytes());
    } catch (MalformedZtocException e) {
      throw new AssertionError(e);
    }
    int at = ztoc.windowOffset(0) - Checkpoints.WINDOW - Checkpoints.HEAD;
    return Arrays.copyOfRange(
        built.bytes(), at, at + Checkpoints.HEAD + Checkpoints.SIZE * ztoc.spanCount());
  }
}
