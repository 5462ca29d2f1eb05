package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.CorruptSpanException;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.SpanDecoder;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.inflate.Inflate;
import java.io.IOException;

/**
 * zTOCs: refused with a reason, or everything in them can be read, lies in order, and spans of
 * other bytes than theirs are refused too.
 *
 * <p>Input: the zTOC.
 */
public final class ZtocTarget {
  private static final SpanDecoder DECODER = new SpanDecoder();
  private static final byte[] WINDOW = new byte[Inflate.WINDOW];
  private static final int MANY = 64;

  private ZtocTarget() {}

  public static void fuzzerTestOneInput(byte[] data) {
    Limits.check(() -> {
      read(data);
      return data.length;
    });
  }

  private static void read(byte[] data) {
    Ztoc ztoc;
    try {
      ztoc = Ztoc.parse(data);
    } catch (MalformedZtocException e) {
      return;
    }
    spans(ztoc);
    files(ztoc);
    for (int i = 0; i < Math.min(ztoc.spanCount(), MANY); i++) {
      decode(ztoc, i);
    }
  }

  private static void spans(Ztoc ztoc) {
    long in = 0;
    long out = 0;
    for (int i = 0; i < ztoc.spanCount(); i++) {
      Span span = ztoc.span(i);
      boolean follows =
          i == 0
              ? span.uncompressedStart() == 0
              : span.compressedStart() == in - (span.bits() == 0 ? 0 : 1)
                  && span.uncompressedStart() == out;
      in = span.compressedEnd();
      out = span.uncompressedEnd();
      if (!follows
          || span.compressedLength() <= 0
          || span.uncompressedLength() < 0
          || span.sha256().length != 32) {
        throw new AssertionError("span " + i + " of " + ztoc.spanCount() + ": " + span);
      }
      if (span.uncompressedLength() > 0 && ztoc.spanAt(span.uncompressedStart()) != i) {
        throw new AssertionError(span + " is not found at its start");
      }
    }
    if (in != ztoc.compressedSize() || out < ztoc.uncompressedSize()) {
      throw new AssertionError("spans end at " + in + " and " + out);
    }
  }

  private static void files(Ztoc ztoc) {
    Toc toc = ztoc.toc();
    long end = 0;
    for (int file = 0; file < toc.size(); file++) {
      toc.nameText(file);
      toc.linkName(file);
      toc.userName(file);
      toc.groupName(file);
      toc.paxRecords(file);
      toc.xattrs(file);
      if (toc.offset(file) < end || toc.length(file) < 0) {
        throw new AssertionError("file " + file + " at " + toc.offset(file));
      }
      if (ztoc.whyUnservable().isEmpty()) {
        end = toc.offset(file) + toc.length(file);
        if (end > ztoc.uncompressedSize()) {
          throw new AssertionError("file " + file + " ends at " + end);
        }
      }
      if (file < MANY && toc.find(toc.name(file)).isEmpty()) {
        throw new AssertionError("file " + file + " isn't found by its name");
      }
    }
  }

  /** A span of the right length whose bytes are not those of the layer. */
  private static void decode(Ztoc ztoc, int index) {
    Span span = ztoc.span(index);
    if (span.compressedLength() > 1 << 16) {
      return;
    }
    byte[] bytes = new byte[(int) span.compressedLength()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31 + 3);
    }
    try {
      DECODER.start(ztoc, index, bytes);
      throw new AssertionError("other bytes are accepted as " + span);
    } catch (CorruptSpanException e) {
      // As it must be.
    }
    try {
      boolean last = index == ztoc.spanCount() - 1;
      DECODER.startVerified(span, last, ztoc.compression(), WINDOW, 0, bytes);
      long[] n = new long[1];
      DECODER.decode((buffer, offset, length) -> n[0] += length);
      if (n[0] != span.uncompressedLength()) {
        throw new AssertionError(n[0] + " bytes of " + span);
      }
    } catch (CorruptSpanException e) {
      if (ztoc.compression() == Compression.UNCOMPRESSED) {
        throw new AssertionError("a plain span is refused", e);
      }
    } catch (IOException e) {
      throw new AssertionError("the sink doesn't fail", e);
    }
  }
}
