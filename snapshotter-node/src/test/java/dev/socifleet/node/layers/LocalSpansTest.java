package dev.socifleet.node.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.service.Metrics;
import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Ztoc;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Spans on this node's disk: what survives which end, and what goes when there are too many. */
class LocalSpansTest {
  private static final int LENGTH = 1_500_000;

  @TempDir Path directory;
  private NodeTable table;
  private byte[] archive;

  @BeforeEach
  void makeLayer() throws Exception {
    byte[] content = new byte[LENGTH];
    new Random(7).nextBytes(content);
    MadeLayer layer = new MadeLayer().file("random", content, 0644, Map.of());
    byte[] gzip = layer.gzip();
    Ztoc ztoc = Ztoc.parse(MadeLayer.ztocOf(gzip, 1 << 17));
    NodeTableWriter.write(ztoc, directory.resolve("nodes"));
    table = NodeTable.open(directory.resolve("nodes"));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    new SpanReader(ztoc, (start, end) -> Arrays.copyOfRange(gzip, (int) start, (int) end))
        .read(0, ztoc.uncompressedSize(), all::write);
    archive = all.toByteArray();
    assertThat(table.spanCount()).isGreaterThan(5);
  }

  private void put(LocalSpans spans, int span) throws IOException {
    int start = (int) table.spanStart(span);
    int length = (int) spans.length(span);
    spans.write(span, archive, start, length);
    CRC32C crc = new CRC32C();
    crc.update(archive, start, length);
    spans.complete(span, (int) crc.getValue());
  }

  private boolean reads(LocalSpans spans, int span) {
    int start = (int) table.spanStart(span);
    int length = (int) spans.length(span);
    ByteBuffer bytes = ByteBuffer.allocate(length);
    if (!spans.read(start, length, bytes)) {
      assertThat(bytes.position()).isZero();
      return false;
    }
    assertThat(bytes.array()).isEqualTo(Arrays.copyOfRange(archive, start, start + length));
    return true;
  }

  @Test
  void bytesAreThereAsSoonAsTheyAreWritten() throws Exception {
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      int start = (int) table.spanStart(2);
      spans.write(2, archive, start, 1000);

      assertThat(spans.has(start, 1000)).isTrue();
      assertThat(spans.has(start, 1001)).isFalse();
      ByteBuffer some = ByteBuffer.allocate(500);
      assertThat(spans.read(start + 500, 500, some)).isTrue();
      assertThat(some.array()).isEqualTo(Arrays.copyOfRange(archive, start + 500, start + 1000));
      assertThat(spans.isWhole(2)).isFalse();
    }
  }

  @Test
  void afterAnOrderlyEndEverythingIsThere() throws Exception {
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      put(spans, 1);
      put(spans, 3);
    }
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      assertThat(reads(spans, 1)).isTrue();
      assertThat(reads(spans, 2)).isFalse();
      assertThat(reads(spans, 3)).isTrue();
      assertThat(spans.bytes()).isEqualTo(spans.length(1) + spans.length(3));
    }
  }

  @Test
  void afterAKillSpansAreComparedBeforeTheyAreUsed() throws Exception {
    LocalSpans killed = LocalSpans.open(table, directory);
    put(killed, 1);
    put(killed, 2);
    killed.sync();
    put(killed, 3); // not synced: not marked
    Path spansFile = directory.resolve("spans");
    byte[] damaged = Files.readAllBytes(spansFile);
    damaged[(int) table.spanStart(2) + 77] ^= 1;
    Files.write(spansFile, damaged);

    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      assertThat(reads(spans, 1)).isFalse();
      assertThat(spans.isUnverified(1)).isTrue();
      assertThat(spans.verify(1)).isTrue();
      assertThat(reads(spans, 1)).isTrue();
      assertThat(spans.verify(2)).isFalse();
      assertThat(spans.evict(2)).isTrue();
      assertThat(reads(spans, 2)).isFalse();
      assertThat(spans.isUnverified(3)).isFalse();
      assertThat(reads(spans, 3)).isFalse();
    }
    killed.close();
  }

  @Test
  void marksThatMakeNoSenseAreNoMarks() throws Exception {
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      put(spans, 1);
    }
    Files.write(directory.resolve("present"), new byte[] {1, 2, 3});
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      assertThat(spans.bytes()).isZero();
      assertThat(reads(spans, 1)).isFalse();
    }
  }

  @Test
  void anEvictedSpanGivesItsBlocksBackAndStaysAway() throws Exception {
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      for (int span = 0; span < table.spanCount(); span++) {
        put(spans, span);
      }
      spans.sync();
      long before = blocks();
      assertThat(spans.evict(2)).isTrue();
      assertThat(blocks()).isLessThan(before - spans.length(2) / 512 / 2);
      assertThat(spans.evict(2)).isFalse();
      assertThat(reads(spans, 1)).isTrue();
      assertThat(reads(spans, 3)).isTrue();
    }
    try (LocalSpans spans = LocalSpans.open(table, directory)) {
      assertThat(reads(spans, 2)).isFalse();
      assertThat(reads(spans, 3)).isTrue();
    }
  }

  private long blocks() throws Exception {
    Process stat =
        new ProcessBuilder("stat", "-c", "%b", directory.resolve("spans").toString()).start();
    String out =
        new String(stat.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(stat.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return Long.parseLong(out.strip());
  }

  @Test
  void theSpansThatWereNotUsedForTheLongestTimeGo() throws Exception {
    long limit = table.spanEnd(3) - table.spanStart(0) + 10;
    try (LocalStore store = new LocalStore(limit, new Metrics())) {
      LocalSpans spans = store.open(table, directory);
      for (int span = 0; span < table.spanCount(); span++) {
        store.reserve(spans.length(span));
        put(spans, span);
        Thread.sleep(300); // more than two steps of the clock of last uses
        reads(spans, 0);
      }
      assertThat(spans.bytes()).isLessThanOrEqualTo(limit);
      assertThat(reads(spans, 0)).isTrue();
      assertThat(reads(spans, 1)).isFalse();
      assertThat(reads(spans, table.spanCount() - 1)).isTrue();
    }
  }
}
