package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Inflate;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A zTOC that was read and checked. Immutable; keeps the array it was read from.
 *
 * <p>What was checked: every place in the flatbuffer before it is used, and every count before it
 * is allocated for; spans follow each other in the compressed and the uncompressed bytes, cover
 * both, and none claims to grow more than deflate can; each has a digest; files lie behind each
 * other within the archive.
 */
public final class Ztoc {
  /** Deflate's best: a length and a distance code of one bit each for 258 bytes. */
  private static final long MOST_GROWTH = 1032;

  /** More than any layer; far enough from overflow to add to. */
  private static final long LARGEST = 1L << 60;

  private static final byte[] DIGEST_PREFIX = {'s', 'h', 'a', '2', '5', '6', ':'};
  private static final int DIGEST_TEXT = 7 + 64;

  private final byte[] bytes;
  private final FlatReader reader;
  private final Compression compression;
  private final long compressedSize;
  private final long uncompressedSize;
  private final String version;
  private final String buildTool;
  private final Toc toc;
  private final Optional<String> whyUnservable;

  private final int spanCount;
  private final long spanSize;
  private final int digests;

  /** Index in {@code bytes} of checkpoint 0; with {@code firstOmitted} that of checkpoint 1. */
  private final int checkpoints;

  private final boolean firstOmitted;

  private Ztoc(byte[] bytes) throws MalformedZtocException {
    this.bytes = bytes;
    reader = new FlatReader(bytes, 0, bytes.length);
    int root = reader.root("the root table");
    compressedSize = size(root, ZtocFormat.ROOT_COMPRESSED_SIZE, "the compressed size");
    uncompressedSize = size(root, ZtocFormat.ROOT_UNCOMPRESSED_SIZE, "the uncompressed size");
    version = text(reader.vector(root, ZtocFormat.ROOT_VERSION, 1, "the version"));
    int tool = reader.vector(root, ZtocFormat.ROOT_BUILD_TOOL, 1, "the build tool");
    buildTool = text(tool);
    int info = reader.table(root, ZtocFormat.ROOT_INFO, "the compression info");
    compression = compression(info);
    spanCount = spanCount(info);
    digests = digests(info);
    int blob = reader.vector(info, ZtocFormat.INFO_CHECKPOINTS, 1, "the checkpoints");
    int length = reader.count(blob);
    if (compression == Compression.GZIP) {
      firstOmitted = firstOmitted(blob, length);
      checkpoints = blob + 4 + Checkpoints.HEAD;
      spanSize = reader.int64(blob + 4 + 4);
      checkSpans();
    } else {
      firstOmitted = false;
      checkpoints = FlatReader.ABSENT;
      spanSize = tarSpanSize(new FlatReader(bytes, blob + 4, blob + 4 + length), blob);
    }
    TocParser parser = new TocParser(bytes, reader, uncompressedSize);
    toc = parser.parse(reader.table(root, ZtocFormat.ROOT_TOC, "the table of contents"));
    whyUnservable = parser.whyUnservable().or(this::tooLarge);
  }

  /** Reads a zTOC. The array must not be written to afterwards. */
  public static Ztoc parse(byte[] bytes) throws MalformedZtocException {
    return new Ztoc(bytes);
  }

  public Compression compression() {
    return compression;
  }

  /** Size of the layer blob. */
  public long compressedSize() {
    return compressedSize;
  }

  /** Where the tar archive ends. The layer may go on after that, with padding. */
  public long uncompressedSize() {
    return uncompressedSize;
  }

  /** Of the format, as the zTOC says; nothing depends on it. */
  public String version() {
    return version;
  }

  public String buildTool() {
    return buildTool;
  }

  /** The span size that was asked for when the zTOC was built. */
  public long spanSize() {
    return spanSize;
  }

  public Toc toc() {
    return toc;
  }

  /**
   * Why a well-formed zTOC is of no use for reading files; the layer must be unpacked instead. One
   * line.
   */
  public Optional<String> whyUnservable() {
    return whyUnservable;
  }

  /** At least 1 for gzip; 0 for an empty layer that is not compressed. */
  public int spanCount() {
    return spanCount;
  }

  public Span span(int index) {
    if (index < 0 || index >= spanCount) {
      throw new IndexOutOfBoundsException("span " + index + " of " + spanCount);
    }
    boolean last = index == spanCount - 1;
    long out = out(index);
    return new Span(
        index,
        start(index),
        last ? compressedSize : in(index + 1),
        out,
        last ? Math.max(out, uncompressedSize) : out(index + 1),
        bits(index),
        HexFormat.of().parseHex(text(digest(index)).substring(DIGEST_PREFIX.length)));
  }

  /** The span that has the byte at this uncompressed offset; the last one for those behind it. */
  public int spanAt(long uncompressedOffset) {
    if (uncompressedOffset < 0) {
      throw new IndexOutOfBoundsException("offset " + uncompressedOffset);
    }
    int low = 0;
    int high = spanCount - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (out(middle) <= uncompressedOffset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /**
   * Where in the zTOC's bytes the 32 KiB of output before a span are, for callers who keep the zTOC
   * in a file; -1 if they are all zeros and not stored, as for any span of a layer that is not
   * compressed.
   */
  public int windowOffset(int span) {
    int at = checkpoint(span);
    return at < 0 ? -1 : at + Checkpoints.WINDOW;
  }

  /** Copies the 32 KiB of output before a span. */
  void window(int span, byte[] to) {
    int from = windowOffset(span);
    if (from < 0) {
      Arrays.fill(to, 0, Inflate.WINDOW, (byte) 0);
    } else {
      System.arraycopy(bytes, from, to, 0, Inflate.WINDOW);
    }
  }

  private long in(int span) {
    if (compression == Compression.UNCOMPRESSED) {
      return span * spanSize;
    }
    int at = checkpoint(span);
    return at < 0 ? 10 : reader.int64(at + Checkpoints.IN);
  }

  private long out(int span) {
    if (compression == Compression.UNCOMPRESSED) {
      return span * spanSize;
    }
    int at = checkpoint(span);
    return at < 0 ? 0 : reader.int64(at + Checkpoints.OUT);
  }

  private int bits(int span) {
    int at = checkpoint(span);
    return at < 0 ? 0 : bytes[at + Checkpoints.BITS];
  }

  private long start(int span) {
    return in(span) - (bits(span) != 0 ? 1 : 0);
  }

  /** Index of a checkpoint, -1 if it is not stored. */
  private int checkpoint(int span) {
    if (compression == Compression.UNCOMPRESSED || (firstOmitted && span == 0)) {
      return -1;
    }
    return checkpoints + Checkpoints.SIZE * (firstOmitted ? span - 1 : span);
  }

  private long size(int table, int slot, String what) throws MalformedZtocException {
    long size = reader.int64(table, slot, what);
    if (size < 0 || size > LARGEST) {
      throw new MalformedZtocException(what + " not to be " + size, table);
    }
    return size;
  }

  private Compression compression(int info) throws MalformedZtocException {
    int code =
        reader.int8(
            info, ZtocFormat.INFO_ALGORITHM, Compression.GZIP.code(), "the compression algorithm");
    for (Compression each : Compression.values()) {
      if (each.code() == code) {
        return each;
      }
    }
    throw new MalformedZtocException("compression algorithm 1 or 2, not " + code, info);
  }

  private int spanCount(int info) throws MalformedZtocException {
    int max = reader.int32(info, ZtocFormat.INFO_MAX_SPAN, "the highest span");
    if (max < -1 || max == Integer.MAX_VALUE) {
      throw new MalformedZtocException("the highest span not to be " + max, info);
    }
    return max + 1;
  }

  private int digests(int info) throws MalformedZtocException {
    int vector = reader.vector(info, ZtocFormat.INFO_DIGESTS, 4, "the span digests");
    if (reader.count(vector) != spanCount) {
      throw new MalformedZtocException(
          spanCount + " span digests, not " + reader.count(vector), vector);
    }
    for (int i = 0; i < spanCount; i++) {
      int string = reader.stringIn(vector, i, "a span digest");
      if (!isDigest(string)) {
        throw new MalformedZtocException("sha256: and 64 hexadecimal digits", string);
      }
    }
    return vector;
  }

  private boolean isDigest(int string) {
    if (reader.count(string) != DIGEST_TEXT
        || !Toc.startsWith(bytes, string + 4, DIGEST_TEXT, DIGEST_PREFIX)) {
      return false;
    }
    for (int i = DIGEST_PREFIX.length; i < DIGEST_TEXT; i++) {
      int c = bytes[string + 4 + i];
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  private int digest(int span) {
    try {
      return reader.stringIn(digests, span, "a span digest");
    } catch (MalformedZtocException e) {
      throw new IllegalStateException("the bytes of a parsed zTOC were changed", e);
    }
  }

  private String text(int string) {
    if (string == FlatReader.ABSENT) {
      return "";
    }
    return new String(bytes, string + 4, reader.count(string), StandardCharsets.UTF_8);
  }

  /** The version of the checkpoints' format, which only their length tells. */
  private boolean firstOmitted(int blob, int length) throws MalformedZtocException {
    if (length < Checkpoints.HEAD) {
      throw new MalformedZtocException("the head of the checkpoints", blob);
    }
    int count = (int) reader.int64(blob + 4);
    if (count < 1 || count != spanCount) {
      throw new MalformedZtocException(
          "as many checkpoints as spans, at least 1, not " + count, blob + 4L);
    }
    long stored = (long) length - Checkpoints.HEAD;
    if (stored == (long) Checkpoints.SIZE * count) {
      return false;
    }
    if (stored == (long) Checkpoints.SIZE * (count - 1)) {
      return true;
    }
    throw new MalformedZtocException(
        count + " checkpoints of " + Checkpoints.SIZE + " bytes, or one less", blob + 4L);
  }

  private void checkSpans() throws MalformedZtocException {
    for (int i = 0; i < spanCount; i++) {
      int at = Math.max(checkpoint(i), 0);
      boolean last = i == spanCount - 1;
      long start = start(i);
      long end = last ? compressedSize : in(i + 1);
      long out = out(i);
      if (bits(i) < 0 || bits(i) > 7) {
        throw new MalformedZtocException("0 to 7 bits of a byte, not " + bits(i), at);
      }
      if (start < 0 || end <= start || end > compressedSize) {
        throw new MalformedZtocException(
            "compressed bytes of span " + i + ", not from " + start + " to " + end, at);
      }
      if (i == 0 && out != 0) {
        throw new MalformedZtocException("span 0 to start at 0, not " + out, at);
      }
      long length = (last ? Math.max(out, uncompressedSize) : out(i + 1)) - out;
      if (length < 0 || length / MOST_GROWTH > end - start) {
        throw new MalformedZtocException(
            "what " + (end - start) + " compressed bytes can hold, not " + length + " bytes", at);
      }
    }
  }

  /**
   * Reads the flatbuffer that stands in the place of checkpoints; see {@link ZtocWriter#tarInfo}.
   */
  private long tarSpanSize(FlatReader info, int blob) throws MalformedZtocException {
    int root = info.root("the tar info");
    long span = info.int64(root, ZtocFormat.TAR_SPAN_SIZE, "the span size");
    long size = info.int64(root, ZtocFormat.TAR_SIZE, "the layer's size");
    if (span < 1) {
      throw new MalformedZtocException("a span size of at least 1, not " + span, blob);
    }
    if (size != compressedSize || uncompressedSize > size) {
      throw new MalformedZtocException(
          "a layer of " + compressedSize + " bytes, not " + size, blob);
    }
    long spans = size / span + (size % span == 0 ? 0 : 1);
    if (spans != spanCount) {
      throw new MalformedZtocException(spans + " spans of a plain tar, not " + spanCount, blob);
    }
    return span;
  }

  private Optional<String> tooLarge() {
    for (int i = 0; i < spanCount; i++) {
      long end = i == spanCount - 1 ? compressedSize : in(i + 1);
      if (end - start(i) > SpanDecoder.MAX_COMPRESSED) {
        return Optional.of(
            "span "
                + i
                + " has "
                + (end - start(i))
                + " compressed bytes, too many to verify at once");
      }
    }
    return Optional.empty();
  }
}
