package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.SpanDecoder;
import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import dev.socifleet.ztoc.streams.DeflaterStreams;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * Whole layers: the archive gets the same decision and the same files plain and compressed, what is
 * built can be parsed, and read through it the archive comes out again.
 *
 * <p>Input: level and strategy; flush mode and span size; bytes between flushes, 2 bytes; then the
 * archive, whose headers' checksums are made right first.
 */
public final class LayerTarget {
  /** With small spans the checkpoints soon need more than the layer justifies. */
  private static final long MOST_ZTOC = 8 << 20;

  private LayerTarget() {}

  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length < 4) {
      return;
    }
    byte[] archive = Arrays.copyOfRange(data, 4, data.length);
    Checksums.repair(archive);
    int every = 1 + ((data[2] & 0xff) << 8 | (data[3] & 0xff));
    int flush = new int[] {0, 2, 3}[(data[1] & 0xff) % 3];
    long spanSize = 1L << ((data[1] & 0xff) / 3 % 20);
    byte[] layer =
        DeflaterStreams.gzip(
            archive, (data[0] & 0xff) % 10, (data[0] & 0xff) / 10 % 3, flush, every);
    ZtocOutcome plain = build(archive, Compression.UNCOMPRESSED, 1000);
    ZtocOutcome compressed = build(layer, Compression.GZIP, spanSize);
    Limits.check(() -> {
      build(layer, Compression.GZIP, spanSize);
      return data.length;
    });
    if (compressed instanceof ZtocOutcome.NotIndexable not
        && not.reason().startsWith("the zTOC would be larger than ")) {
      return;
    }
    if (plain instanceof ZtocOutcome.Built a && compressed instanceof ZtocOutcome.Built b) {
      compare(parsed(a), parsed(b), archive, layer);
    } else if (plain instanceof ZtocOutcome.NotIndexable a
        && compressed instanceof ZtocOutcome.NotIndexable b) {
      if (!a.reason().equals(b.reason())) {
        throw new AssertionError(a.reason() + ", compressed: " + b.reason());
      }
    } else {
      throw new AssertionError(plain + ", compressed: " + compressed);
    }
  }

  private static ZtocOutcome build(byte[] layer, Compression compression, long spanSize) {
    try {
      return ZtocBuilder.build(
          new ByteArrayInputStream(layer),
          compression,
          ZtocOptions.ofSpanSize(spanSize).withMaxZtocBytes(MOST_ZTOC));
    } catch (IOException e) {
      throw new AssertionError("interrupted", e);
    }
  }

  private static Ztoc parsed(ZtocOutcome.Built built) {
    try {
      return Ztoc.parse(built.bytes());
    } catch (MalformedZtocException e) {
      throw new AssertionError("built, but not read", e);
    }
  }

  private static void compare(Ztoc plain, Ztoc compressed, byte[] archive, byte[] layer) {
    Toc toc = compressed.toc();
    if (toc.size() != plain.toc().size()
        || compressed.uncompressedSize() != plain.uncompressedSize()) {
      throw new AssertionError(toc.size() + " files, plain " + plain.toc().size());
    }
    SpanReader fromPlain = reader(plain, archive);
    SpanReader fromLayer = reader(compressed, layer);
    int size = (int) compressed.uncompressedSize();
    if (!Arrays.equals(spans(compressed, layer), 0, size, archive, 0, size)) {
      throw new AssertionError("another archive came out");
    }
    if (compressed.whyUnservable().isPresent()) {
      return;
    }
    for (int file = 0; file < toc.size(); file++) {
      int from = (int) toc.offset(file);
      byte[] wanted = Arrays.copyOfRange(archive, from, from + (int) toc.length(file));
      try {
        if (!Arrays.equals(wanted, file(fromLayer, from, wanted.length))
            || !Arrays.equals(wanted, file(fromPlain, from, wanted.length))) {
          throw new AssertionError("file " + file + " has other bytes");
        }
      } catch (IOException e) {
        throw new AssertionError("file " + file + " can't be read", e);
      }
    }
  }

  private static SpanReader reader(Ztoc ztoc, byte[] layer) {
    return new SpanReader(ztoc, (start, end) -> Arrays.copyOfRange(layer, (int) start, (int) end));
  }

  private static byte[] file(SpanReader reader, long offset, long length) throws IOException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    reader.read(offset, length, data::write);
    return data.toByteArray();
  }

  private static byte[] spans(Ztoc ztoc, byte[] layer) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    SpanDecoder decoder = new SpanDecoder();
    try {
      for (int i = 0; i < ztoc.spanCount(); i++) {
        Span span = ztoc.span(i);
        decoder.start(
            ztoc,
            i,
            Arrays.copyOfRange(layer, (int) span.compressedStart(), (int) span.compressedEnd()));
        decoder.decode(all::write);
      }
    } catch (IOException e) {
      throw new AssertionError("a span can't be decoded", e);
    }
    return all.toByteArray();
  }
}
