package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Exactly one range of a blob, from a body that may be longer. A connection that breaks, stalls or
 * ends early is taken up again where it broke, a few times. One thread.
 */
final class RangeStream extends InputStream {
  private static final int MOST_RESUMPTIONS = 5;

  /** A body that brought so much since it was resumed has earned the full count again. */
  private static final long PROGRESS = 4 << 20;

  private final HttpRepository repository;
  private final Digest blob;
  private final ByteRange range;
  private AnswerBody body;
  private long position;
  private long resumedAt;
  private int resumptions;

  /**
   * @param body positioned at the range's first byte
   */
  RangeStream(HttpRepository repository, Digest blob, ByteRange range, AnswerBody body) {
    this.repository = repository;
    this.blob = blob;
    this.range = range;
    this.body = body;
    position = range.start();
    resumedAt = position;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (position < range.end()) {
      int count;
      try {
        count = body.read(into, offset, (int) Math.min(length, range.end() - position));
      } catch (IOException e) {
        resume(e);
        continue;
      }
      if (count < 0) {
        resume(null);
        continue;
      }
      position += count;
      if (position == range.end()) {
        body.release(0); // the connection is free for the next request before the caller is done
      }
      return count;
    }
    return -1;
  }

  private void resume(@Nullable IOException cause) throws RegistryException {
    body.close();
    if (position - resumedAt >= PROGRESS) {
      resumptions = 0;
    }
    boolean interrupted = Thread.currentThread().isInterrupted();
    if (interrupted || ++resumptions > MOST_RESUMPTIONS) {
      throw repository.lost(
          "read bytes " + range.toHttp() + " of blob " + blob,
          cause == null
              ? new IOException("it ended " + (range.end() - position) + " bytes early")
              : cause);
    }
    body = repository.body(blob, new ByteRange(position, range.end()));
    resumedAt = position;
  }

  @Override
  public void close() {
    body.close();
  }
}
