package dev.socifleet.ztoc;

import java.io.IOException;

/** Passes on the bytes between two uncompressed offsets, of those that come in order. */
final class Excerpt implements SpanDecoder.Sink {
  private final long from;
  private final long to;
  private final SpanDecoder.Sink sink;
  private long position;

  /**
   * @param start uncompressed offset of the first byte that comes
   * @param from of the first byte to be passed on
   * @param to behind the last
   */
  Excerpt(long start, long from, long to, SpanDecoder.Sink sink) {
    this.from = from;
    this.to = to;
    this.sink = sink;
    position = start;
  }

  /** Uncompressed offset of the next byte that comes. */
  long position() {
    return position;
  }

  /** Whether all that is wanted has come. */
  boolean done() {
    return position >= to;
  }

  @Override
  public void accept(byte[] buffer, int offset, int length) throws IOException {
    int skipped = (int) Math.min(length, Math.max(0, from - position));
    int wanted = (int) Math.min(length, to - position) - skipped;
    position += length;
    if (wanted > 0) {
      sink.accept(buffer, offset + skipped, wanted);
    }
  }
}
