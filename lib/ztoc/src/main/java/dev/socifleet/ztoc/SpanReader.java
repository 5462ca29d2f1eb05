package dev.socifleet.ztoc;

import java.io.IOException;

/**
 * Reads uncompressed bytes of a layer: fetches the spans that have them, verifies and decodes them,
 * no further than they are wanted. It keeps nothing: for callers who read a file or a layer once.
 * Thread-safe, as far as its source is. For many spans {@link LayerReader} is faster.
 */
public final class SpanReader {
  /** Where a layer's compressed bytes come from. */
  @FunctionalInterface
  public interface Source {
    /** The bytes of the layer blob from {@code start} up to, not including, {@code end}. */
    byte[] read(long start, long end) throws IOException;
  }

  private final Ztoc ztoc;
  private final Source source;

  public SpanReader(Ztoc ztoc, Source source) {
    this.ztoc = ztoc;
    this.source = source;
  }

  /**
   * Hands out the bytes from an uncompressed offset on, in order.
   *
   * @param sink the array that it is given is valid during the call only
   */
  public void read(long offset, long length, SpanDecoder.Sink sink) throws IOException {
    check(ztoc, offset, length);
    if (length == 0) {
      return;
    }
    SpanDecoder decoder = SpanDecoders.take();
    try {
      read(decoder, offset, length, sink);
    } finally {
      SpanDecoders.giveBack(decoder);
    }
  }

  private void read(SpanDecoder decoder, long offset, long length, SpanDecoder.Sink sink)
      throws IOException {
    long end = offset + length;
    long start = ztoc.span(ztoc.spanAt(offset)).uncompressedStart();
    Excerpt excerpt = new Excerpt(start, offset, end, sink);
    while (!excerpt.done()) {
      Span span = ztoc.span(ztoc.spanAt(excerpt.position()));
      byte[] bytes = source.read(span.compressedStart(), span.compressedEnd());
      decoder.start(ztoc, span.index(), bytes);
      decoder.decode(end, excerpt);
    }
  }

  static void check(Ztoc ztoc, long offset, long length) {
    if (offset < 0 || length < 0 || length > ztoc.uncompressedSize() - offset) {
      throw new IndexOutOfBoundsException(
          length + " bytes at " + offset + " of " + ztoc.uncompressedSize());
    }
  }
}
