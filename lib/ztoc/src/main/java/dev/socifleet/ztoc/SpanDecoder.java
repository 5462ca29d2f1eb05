package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Turns the compressed bytes of one span into its part of the tar. Not thread-safe; reusable, and
 * worth it: a decoder holds about 350 KiB, whatever the size of its span.
 *
 * <p>Call {@link #start}, then {@link #decode} once or more. As decoding can pause at any offset,
 * the bytes that somebody waits for can be handed out first and the rest be decoded afterwards.
 */
public final class SpanDecoder {
  /** Compressed bytes of the largest span that is taken: what an array can hold. */
  static final int MAX_COMPRESSED = Integer.MAX_VALUE - 64;

  /** Where in an array decoding stops: behind the window and 256 KiB of output. */
  private static final int FULL = Inflate.WINDOW + 256 * 1024;

  /** Of the arrays that are decoded into. */
  static final int BUFFER = FULL + Inflate.OUTPUT_SLACK;

  /** Takes decoded bytes, in order. The array is the decoder's: use it during the call only. */
  @FunctionalInterface
  public interface Sink {
    void accept(byte[] buffer, int offset, int length) throws IOException;
  }

  /** Where arrays to decode into come from. */
  @FunctionalInterface
  interface Buffers {
    byte[] take() throws IOException;
  }

  private final GunzipDecoder gunzip = new GunzipDecoder();
  private final MessageDigest sha = SpanHasher.sha256();
  private byte[] out = new byte[BUFFER];

  private int span = -1;
  private boolean last;
  private boolean compressed;
  private byte[] input = out;
  private long compressedStart;
  private long start;
  private long position;
  private long end;
  private int delivered;

  /**
   * Starts with a span whose bytes may come from anywhere: they are compared with its digest first.
   *
   * @param bytes all compressed bytes of the span; not to be changed while it is decoded
   * @throws CorruptSpanException if they are not those
   */
  public void start(Ztoc ztoc, int index, byte[] bytes) throws CorruptSpanException {
    Span wanted = ztoc.span(index);
    span = -1;
    if (bytes.length != wanted.compressedLength()) {
      throw wrongLength(wanted, bytes);
    }
    sha.reset();
    if (!MessageDigest.isEqual(sha.digest(bytes), wanted.sha256())) {
      throw new CorruptSpanException(
          index, wanted.compressedStart(), "its bytes do not have the SHA-256 in the zTOC");
    }
    startVerified(ztoc, index, bytes);
  }

  /** Starts with a span whose bytes were compared with its digest by the caller. */
  public void startVerified(Ztoc ztoc, int index, byte[] bytes) throws CorruptSpanException {
    if (ztoc.compression() == Compression.GZIP) {
      ztoc.window(index, out);
    }
    startWith(ztoc.span(index), index == ztoc.spanCount() - 1, ztoc.compression(), bytes);
  }

  /**
   * Starts without a zTOC at hand.
   *
   * @param window the 32 KiB of output before the span, from {@code windowOffset} on; of no account
   *     if the layer is not compressed
   * @param isLast whether it is the layer's last span, which may go on after the archive's end
   */
  public void startVerified(
      Span wanted,
      boolean isLast,
      Compression compression,
      byte[] window,
      int windowOffset,
      byte[] bytes)
      throws CorruptSpanException {
    if (compression == Compression.GZIP) {
      System.arraycopy(window, windowOffset, out, 0, Inflate.WINDOW);
    }
    startWith(wanted, isLast, compression, bytes);
  }

  private void startWith(Span wanted, boolean isLast, Compression compression, byte[] bytes)
      throws CorruptSpanException {
    if (bytes.length != wanted.compressedLength()) {
      throw wrongLength(wanted, bytes);
    }
    span = wanted.index();
    last = isLast;
    compressed = compression == Compression.GZIP;
    input = bytes;
    compressedStart = wanted.compressedStart();
    start = wanted.uncompressedStart();
    position = start;
    end = wanted.uncompressedEnd();
    if (compressed) {
      gunzip.startAt(wanted.compressedStart(), wanted.bits(), bytes, 0, bytes.length);
      gunzip.output(out, Inflate.WINDOW, 0);
      delivered = Inflate.WINDOW;
    }
  }

  private static CorruptSpanException wrongLength(Span wanted, byte[] bytes) {
    return new CorruptSpanException(
        wanted.index(),
        wanted.compressedStart(),
        bytes.length + " bytes, expected " + wanted.compressedLength());
  }

  /** Uncompressed offset of the next byte to be decoded. */
  public long position() {
    return position;
  }

  /** Whether the whole span was decoded. */
  public boolean done() {
    return position >= end;
  }

  /** Decodes the rest of the span. */
  public void decode(Sink sink) throws IOException {
    decode(end, sink);
  }

  /**
   * Decodes at least up to an uncompressed offset, or to the span's end if that comes first.
   *
   * @throws CorruptSpanException if the bytes can't be decoded to what the zTOC says
   * @throws IOException from the sink; start anew after that
   */
  public void decode(long until, Sink sink) throws IOException {
    long target = target(until);
    if (!compressed) {
      copyPlain(target, sink);
      return;
    }
    while (position < target) {
      int from = delivered;
      int produced = decodeSome(target);
      sink.accept(out, from, produced);
      position += produced;
      delivered = gunzip.outPosition();
      if (delivered >= FULL) {
        delivered -= gunzip.slide();
      }
    }
  }

  /**
   * Decodes up to an uncompressed offset, or to the span's end, as {@link #decode} does, but gives
   * the arrays away instead of having them copied.
   *
   * @param buffers where arrays of {@link #BUFFER} bytes to go on in come from
   * @param filled takes arrays that are not written to any more; if the layer is not compressed,
   *     the one that the span was started with
   */
  void decodeAway(long until, Buffers buffers, Sink filled) throws IOException {
    long target = target(until);
    if (!compressed) {
      copyPlain(target, filled);
      return;
    }
    while (position < target) {
      int from = delivered;
      int produced = decodeSome(target);
      byte[] full = out;
      out = buffers.take();
      gunzip.slideTo(out);
      delivered = gunzip.outPosition();
      position += produced;
      filled.accept(full, from, produced);
    }
  }

  /** Lets go of the span's bytes. */
  void forget() {
    span = -1;
    input = out;
    gunzip.startAt(0, 0, out, 0, 0);
  }

  private long target(long until) {
    if (span < 0) {
      throw new IllegalStateException("no span was started");
    }
    return Math.min(until, end);
  }

  private void copyPlain(long target, Sink sink) throws IOException {
    if (position < target) {
      int from = (int) (position - start);
      int length = (int) (target - position);
      position = target;
      sink.accept(input, from, length);
    }
  }

  /** Decodes up to an offset, or until the array is full; returns how many bytes of the span. */
  private int decodeSome(long target) throws CorruptSpanException {
    int limit = (int) Math.min(FULL, delivered + (target - position));
    Event event;
    do {
      event = run(limit);
    } while (event == Event.BOUNDARY && gunzip.outPosition() < limit);
    int produced = gunzip.outPosition() - delivered;
    if (produced > end - position) {
      if (!last) {
        throw corrupt("it goes on after uncompressed offset " + end);
      }
      produced = (int) (end - position);
    }
    if (event == Event.END && position + produced < target) {
      throw corrupt("its compressed data ends at uncompressed offset " + (position + produced));
    }
    return produced;
  }

  private Event run(int limit) throws CorruptSpanException {
    try {
      return gunzip.run(limit);
    } catch (InflateException e) {
      throw corrupt(String.valueOf(e.getMessage()));
    }
  }

  private CorruptSpanException corrupt(String reason) {
    int index = span;
    span = -1;
    input = out;
    Arrays.fill(out, 0, Inflate.WINDOW, (byte) 0);
    return new CorruptSpanException(index, compressedStart, reason);
  }
}
