package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.GunzipInputStream;
import dev.socifleet.ztoc.tar.TarEntry;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Checks a zTOC against the layer that it is said to describe. Single use, by one thread.
 *
 * <p>First the layer is decoded from its start to its end, with the checksums of the gzip members:
 * that gives what each span must be, and the archive's members, which are compared with the files
 * of the zTOC. Then each span is read as a node reads it: its digest verified, decoded from its
 * checkpoint; and compared.
 *
 * <p>How its checkpoints were chosen doesn't matter, nor who built it.
 */
public final class LayerCheck {
  private final Ztoc ztoc;
  private final Toc toc;
  private final CRC32 sum = new CRC32();

  /** CRC-32 of the bytes of each span, as far as the archive goes. */
  private final int[] sums;

  private final TarWalker tar = new TarWalker(this::member);
  private int members;
  private @Nullable String difference;

  private LayerCheck(Ztoc ztoc) {
    this.ztoc = ztoc;
    toc = ztoc.toc();
    sums = new int[ztoc.spanCount()];
  }

  /**
   * Checks all of it.
   *
   * @param layer the whole blob; not closed
   * @param spans the same blob, asked by several threads at once
   * @throws MismatchException if something of the zTOC doesn't fit
   * @throws IOException if the layer can't be read, or can't be decoded
   */
  public static void check(Ztoc ztoc, InputStream layer, SpanReader.Source spans, int threads)
      throws IOException {
    LayerCheck check = new LayerCheck(ztoc);
    check.decode(layer);
    check.readSpans(new LayerReader(ztoc, spans, threads));
  }

  private void decode(InputStream layer) throws IOException {
    CountedInput counted = new CountedInput(layer);
    InputStream bytes =
        ztoc.compression() == Compression.GZIP ? new GunzipInputStream(counted) : counted;
    SpanSums each = new SpanSums((span, value) -> sums[span] = value);
    byte[] buffer = new byte[64 * 1024];
    try {
      for (int n = bytes.read(buffer); n >= 0; n = bytes.read(buffer)) {
        tar.accept(buffer, 0, n);
        failOnDifference();
        each.accept(buffer, 0, n);
      }
      tar.finish();
    } catch (TarException e) {
      throw new IOException(e.getMessage(), e);
    }
    failOnDifference();
    expect(counted.count == ztoc.compressedSize(), "bytes", ztoc.compressedSize(), counted.count);
    expect(
        tar.position() == ztoc.uncompressedSize(),
        "bytes to the archive's end",
        ztoc.uncompressedSize(),
        tar.position());
    expect(members == toc.size(), "files", toc.size(), members);
  }

  private static void expect(boolean equal, String what, long inZtoc, long inLayer)
      throws MismatchException {
    if (!equal) {
      throw new MismatchException(
          "the zTOC is of a layer with " + inZtoc + " " + what + ", this one has " + inLayer);
    }
  }

  private void failOnDifference() throws MismatchException {
    if (difference != null) {
      throw new MismatchException(difference);
    }
  }

  private void readSpans(LayerReader reader) throws IOException {
    int[] wrong = {-1};
    SpanSums each =
        new SpanSums((span, value) -> {
          if (sums[span] != value && wrong[0] < 0) {
            wrong[0] = span;
          }
        });
    reader.read(
        0,
        ztoc.uncompressedSize(),
        (buffer, from, n) -> {
          each.accept(buffer, from, n);
          if (wrong[0] >= 0) {
            Span span = ztoc.span(wrong[0]);
            throw new MismatchException(
                "span %d, uncompressed offset %d to %d: its checkpoint gives other bytes than the layer has"
                    .formatted(span.index(), span.uncompressedStart(), span.uncompressedEnd()));
          }
        });
  }

  private void member(TarEntry entry) {
    int file = members++;
    if (difference == null && file < toc.size()) {
      difference = differenceOf(file, entry);
    }
  }

  private @Nullable String differenceOf(int file, TarEntry entry) {
    Timestamp stored = new Timestamp(entry.seconds(), entry.nanos());
    byte[] text = stored.text();
    Timestamp time = Timestamp.parse(text, 0, text.length);
    long size = entry.type().hasData() ? entry.size() : 0;
    String what = null;
    if (!Arrays.equals(toc.name(file), entry.name())) {
      what = "name";
    } else if (toc.type(file) != entry.type()) {
      what = "type";
    } else if (toc.offset(file) != entry.offset()) {
      what = "offset";
    } else if (toc.length(file) != size) {
      what = "size";
    } else if (!Arrays.equals(toc.linkName(file), entry.linkName())) {
      what = "link's target";
    } else if (toc.mode(file) != (entry.mode() & 07777)) {
      what = "mode";
    } else if (toc.uid(file) != (int) entry.uid() || toc.gid(file) != (int) entry.gid()) {
      what = "owner";
    } else if (!Arrays.equals(toc.userName(file), entry.userName())
        || !Arrays.equals(toc.groupName(file), entry.groupName())) {
      what = "owner's name";
    } else if (toc.modifiedSeconds(file) != time.seconds()
        || toc.modifiedNanos(file) != time.nanos()) {
      what = "modification time";
    } else if (toc.deviceMajor(file) != entry.deviceMajor()
        || toc.deviceMinor(file) != entry.deviceMinor()) {
      what = "device number";
    } else if (!sameRecords(toc.paxRecords(file), entry.pax())) {
      what = "PAX records";
    }
    return what == null
        ? null
        : "file %d, %s: its %s in the zTOC is not that in the layer"
            .formatted(file, toc.nameText(file), what);
  }

  /** Both have them by key, in byte order. */
  private static boolean sameRecords(List<PaxRecord> inZtoc, Map<byte[], byte[]> inLayer) {
    if (inZtoc.size() != inLayer.size()) {
      return false;
    }
    Iterator<Map.Entry<byte[], byte[]>> other = inLayer.entrySet().iterator();
    for (PaxRecord record : inZtoc) {
      Map.Entry<byte[], byte[]> expected = other.next();
      if (!Arrays.equals(record.key(), expected.getKey())
          || !Arrays.equals(record.value(), expected.getValue())) {
        return false;
      }
    }
    return true;
  }

  /** Sums up the archive's bytes, span by span. */
  private final class SpanSums {
    /** Hears of each span that has bytes of the archive. */
    interface Each {
      void span(int index, int sum);
    }

    private final Each each;
    private long position;
    private int span;

    SpanSums(Each each) {
      this.each = each;
      sum.reset();
    }

    void accept(byte[] buffer, int from, int length) {
      int at = from;
      int to = from + (int) Math.min(length, ztoc.uncompressedSize() - position);
      while (at < to) {
        long end = Math.min(ztoc.span(span).uncompressedEnd(), ztoc.uncompressedSize());
        int n = (int) Math.min(to - at, end - position);
        sum.update(buffer, at, n);
        at += n;
        position += n;
        if (position == end) {
          each.span(span++, (int) sum.getValue());
          sum.reset();
        }
      }
    }
  }

  private static final class CountedInput extends InputStream {
    private final InputStream in;
    private long count;

    CountedInput(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws IOException {
      int b = in.read();
      count += b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] buffer, int from, int length) throws IOException {
      int n = in.read(buffer, from, length);
      count += Math.max(0, n);
      return n;
    }
  }
}
