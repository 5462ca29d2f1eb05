package dev.socifleet.ztoc;

import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * The buffers that a layer goes through, from the thread that reads it over the one that decodes it
 * to the one that hashes it, and round again. A thread that is ahead waits here, so memory stays
 * the same however large the layer is. Thread-safe.
 *
 * <pre>
 *  0                  CARRY                              CARRY + CHUNK
 *  +------------------+----------------------------------+
 *  | carried over     | new bytes                        |
 *  +------------------+----------------------------------+
 * </pre>
 */
final class ChunkBuffers {
  /** Bytes in front of each buffer for what is carried over from the one before. */
  static final int CARRY = 1024;

  /** Bytes read at a time. */
  static final int CHUNK = 256 * 1024;

  /** One in each of the three threads, and one on its way to each. */
  static final int COUNT = 6;

  private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(COUNT);

  ChunkBuffers() {
    for (int i = 0; i < COUNT; i++) {
      free.add(new byte[CARRY + CHUNK]);
    }
  }

  byte[] take() throws InterruptedException {
    return free.take();
  }

  void giveBack(byte[] buffer) {
    free.add(buffer);
  }

  static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while a layer was read");
  }
}
