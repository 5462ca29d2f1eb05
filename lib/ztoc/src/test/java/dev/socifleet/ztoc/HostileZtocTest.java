package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.socifleet.ztoc.inflate.Inflate;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * zTOCs come from registries: whatever is in one, it is read, or refused with the offset of what is
 * wrong, in time and memory that its size justifies.
 */
@Timeout(300)
class HostileZtocTest {
  /** What numbers in a flatbuffer are overwritten with. */
  private static final List<Integer> WORDS =
      List.of(0, 1, -1, 4, -4, 0x7fff, 0xffff, 1 << 16, Integer.MAX_VALUE, Integer.MIN_VALUE);

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Sample(byte[] layer, byte[] ztoc) {}

  private static Sample sample(String name, long spanSize) {
    byte[] layer = TestLayers.resource(name);
    return new Sample(
        layer, TestLayers.built(layer, TestLayers.compressionOf(name), spanSize).bytes());
  }

  @ParameterizedTest
  @CsvSource({"golden/v1.tar.gz, 65536", "layers/plain-pax-rich.tar, 10000"})
  void aZtocCutAnywhereIsRefused(String name, long spanSize) throws IOException {
    Sample sample = sample(name, spanSize);
    for (int length : structure(sample)) {
      byte[] cut = Arrays.copyOf(sample.ztoc, length);
      assertThatThrownBy(() -> Ztoc.parse(cut))
          .as("cut to %d bytes", length)
          .isInstanceOf(MalformedZtocException.class)
          .hasMessageMatching("malformed zTOC at offset \\d+: expected .+");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "golden/v1.tar.gz, 65536",
    "layers/plain-pax-rich.tar, 10000",
    "layers/pax-sparse-1.0.tar.gz, 65536",
    "layers/types.tar.gz, 65536"
  })
  void anyNumberInItMayBeWrong(String name, long spanSize) throws IOException {
    Sample sample = sample(name, spanSize);
    ByteBuffer ztoc = ByteBuffer.wrap(sample.ztoc).order(ByteOrder.LITTLE_ENDIAN);
    long before = allocated();
    int parsed = 0;
    for (int at : structure(sample)) {
      int old = ztoc.getInt(at);
      for (int word : WORDS) {
        check(ztoc.putInt(at, word).array());
        parsed++;
      }
      for (int shift = 0; shift < 32; shift += 3) {
        check(ztoc.putInt(at, old ^ (1 << shift)).array());
        parsed++;
      }
      ztoc.putInt(at, old);
    }
    // What is read of it, and an exception's text and trace.
    assertThat((allocated() - before) / parsed)
        .as("bytes allocated for each of %d parses", parsed)
        .isLessThan(sample.ztoc.length + 50_000L);
  }

  @Test
  void decodingWithAWrongZtocGivesThatLayersBytesOrAnError() throws IOException {
    Sample sample = sample("golden/v1.tar.gz", 65536);
    for (int at : structure(sample)) {
      byte[] wrong = withWord(sample.ztoc, at, 0x01020304);
      try {
        Ztoc ztoc = Ztoc.parse(wrong);
        new SpanReader(ztoc, source(sample))
            .read(0, Math.min(1 << 20, ztoc.uncompressedSize()), (buffer, from, n) -> {});
      } catch (MalformedZtocException | CorruptSpanException e) {
        assertThat(e).hasMessageNotContaining("\n");
      }
    }
  }

  @Test
  void oneLongNameCannotBeSharedByAllFiles() throws IOException {
    int files = 20_000;
    byte[] name = new byte[1 << 20];
    Arrays.fill(name, (byte) 'n');
    byte[] ztoc = sharing(files, name);

    assertThatThrownBy(() -> Ztoc.parse(ztoc))
        .isInstanceOf(MalformedZtocException.class)
        .hasMessageContaining("strings that do not overlap");
  }

  private static void check(byte[] bytes) throws IOException {
    Ztoc ztoc;
    try {
      ztoc = Ztoc.parse(bytes);
    } catch (MalformedZtocException e) {
      return;
    }
    long compressed = 0;
    long uncompressed = 0;
    for (int i = 0; i < ztoc.spanCount(); i++) {
      Span span = ztoc.span(i);
      need(span.compressedStart() >= compressed - 1, "spans in order");
      need(span.compressedEnd() >= span.compressedStart(), "no negative span");
      need(span.compressedEnd() <= ztoc.compressedSize(), "spans within the layer");
      need(span.uncompressedStart() == uncompressed, "spans without gaps");
      need(span.uncompressedEnd() >= uncompressed, "no negative span");
      need(span.bits() >= 0 && span.bits() <= 7, "bits of a byte");
      compressed = span.compressedEnd();
      uncompressed = span.uncompressedEnd();
      int window = ztoc.windowOffset(i);
      need(window == -1 || (window >= 0 && window <= bytes.length - Inflate.WINDOW), "a window");
    }
    files(ztoc);
  }

  private static void files(Ztoc ztoc) {
    Toc toc = ztoc.toc();
    boolean servable = ztoc.whyUnservable().isEmpty();
    long next = 512;
    for (int i = 0; i < toc.size(); i++) {
      need(toc.offset(i) >= next && toc.offset(i) <= ztoc.uncompressedSize(), "files in order");
      need(toc.length(i) >= 0, "no negative length");
      if (servable) {
        need(toc.length(i) <= ztoc.uncompressedSize() - toc.offset(i), "files within the archive");
        next = toc.offset(i) + toc.length(i);
      }
      need((toc.mode(i) & ~07777) == 0, "a mode");
      need(toc.modifiedNanos(i) >= 0 && toc.modifiedNanos(i) <= 999_999_999, "nanoseconds");
      long strings = (long) toc.name(i).length + toc.linkName(i).length;
      strings += (long) toc.userName(i).length + toc.groupName(i).length;
      need(strings <= ztoc.compressedSize() + (1 << 20), "strings that are there");
      need(toc.xattrs(i).size() <= toc.paxRecords(i).size(), "attributes out of records");
    }
  }

  /** As an assertion, but for millions of them. */
  private static void need(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError("expected " + what);
    }
  }

  /** Offsets of all of a zTOC but the insides of windows, which may hold anything, and its end. */
  private static int[] structure(Sample sample) throws IOException {
    Ztoc ztoc = Ztoc.parse(sample.ztoc);
    return IntStream.range(0, sample.ztoc.length - 3)
        .filter(at ->
            IntStream.range(0, ztoc.spanCount())
                .map(ztoc::windowOffset)
                .noneMatch(window -> window >= 0 && at >= window && at < window + Inflate.WINDOW))
        .toArray();
  }

  private static byte[] withWord(byte[] bytes, int at, int word) {
    byte[] changed = bytes.clone();
    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(at, word);
    return changed;
  }

  /** A zTOC whose files' user names are all the same string. */
  private static byte[] sharing(int files, byte[] name) {
    ZtocWriter writer = new ZtocWriter("test", 1 << 20);
    byte[] none = {};
    byte[] type = "reg".getBytes(StandardCharsets.US_ASCII);
    int[] tables = new int[files];
    for (int i = files - 1; i >= 0; i--) {
      byte[] user = i == files - 1 ? name : none;
      tables[i] =
          writer.file(
              new int[] {
                writer.string(none),
                writer.string(type),
                writer.string(none),
                writer.string(user),
                writer.string(none),
                writer.string(none),
                writer.noRecords()
              },
              new long[] {512L * (i + 1), 0, 0, 0, 0},
              new long[2]);
    }
    int toc = writer.toc(tables);
    byte[] info = ZtocWriter.tarInfo(1L << 40, 512L * files);
    byte[] ztoc =
        writer.finish(
            toc,
            info.length,
            to -> to.put(info),
            List.of(new byte[32]),
            0,
            Compression.UNCOMPRESSED,
            512L * files,
            512L * files);
    share(ztoc, files, name.length);
    return ztoc;
  }

  /** Makes all empty user names (slot 8) refer to the long one. */
  private static void share(byte[] ztoc, int files, int length) {
    ByteBuffer all = ByteBuffer.wrap(ztoc).order(ByteOrder.LITTLE_ENDIAN);
    int root = all.getInt(0);
    int toc = follow(all, field(all, root, ZtocFormat.ROOT_TOC));
    int vector = follow(all, field(all, toc, ZtocFormat.TOC_FILES));
    assertThat(all.getInt(vector)).isEqualTo(files);
    int last = follow(all, vector + 4 * files);
    int name = follow(all, field(all, last, ZtocFormat.FILE_USER));
    assertThat(all.getInt(name)).isEqualTo(length);
    for (int i = 0; i < files; i++) {
      int user = field(all, follow(all, vector + 4 + 4 * i), ZtocFormat.FILE_USER);
      all.putInt(user, name - user);
    }
  }

  private static int follow(ByteBuffer all, int at) {
    return at + all.getInt(at);
  }

  private static int field(ByteBuffer all, int table, int slot) {
    return table + all.getShort(table - all.getInt(table) + 4 + 2 * slot);
  }

  private static SpanReader.Source source(Sample sample) {
    return (start, end) -> Arrays.copyOfRange(sample.layer, (int) start, (int) end);
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
