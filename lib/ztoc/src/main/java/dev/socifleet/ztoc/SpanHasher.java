package dev.socifleet.ztoc;

import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Hashes the spans of a layer on a thread of its own, beside the one that decodes it.
 *
 * <p>It also owns the buffers that the layer is read into: one at a time is taken, filled and given
 * back as work, so a reader that is faster than the hashing waits, and memory stays the same
 * however large the layer is. Where spans begin is only known once the bytes are decoded; therefore
 * work comes after decoding, with its cuts.
 *
 * <p>Used by one thread.
 */
@SuppressWarnings("ReferenceEquality") // the end mark is one known object
final class SpanHasher implements AutoCloseable {
  /** Bytes in front of each buffer for what is carried over from the one before. */
  static final int CARRY = 1024;

  /** Bytes read at a time. */
  static final int CHUNK = 256 * 1024;

  private static final int BUFFERS = 4;

  /** Bytes [from, to) of a buffer and the places in it where spans begin; see {@link #cut}. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Work(byte[] buffer, int from, int to, int[] cuts) {}

  private static final Work LAST = new Work(new byte[0], 0, 0, new int[0]);

  private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(BUFFERS);
  private final BlockingQueue<Work> work = new ArrayBlockingQueue<>(BUFFERS + 1);
  private final List<byte[]> digests = new ArrayList<>();
  private final MessageDigest sha = sha256();
  private final Thread thread;
  private boolean inSpan;

  SpanHasher() {
    for (int i = 0; i < BUFFERS; i++) {
      free.add(new byte[CARRY + CHUNK]);
    }
    thread = Thread.ofPlatform().daemon().name("span-hash").unstarted(this::loop);
    thread.start();
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * A cut at {@code index} of the buffer: the span before ends there, the next one starts there, or
   * at the byte before if both have bits of it.
   */
  static int cut(int index, boolean shared) {
    return 2 * index + (shared ? 1 : 0);
  }

  byte[] takeBuffer() throws InterruptedIOException {
    try {
      byte[] buffer = free.poll(1, TimeUnit.SECONDS);
      while (buffer == null) {
        if (!thread.isAlive()) {
          throw new IllegalStateException("the thread that hashes spans has died");
        }
        buffer = free.poll(1, TimeUnit.SECONDS);
      }
      return buffer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a layer was read");
    }
  }

  /** Hashes the bytes that follow those given before; takes the buffer. */
  void hash(byte[] buffer, int from, int to, int[] cuts) {
    work.add(new Work(buffer, from, to, cuts));
  }

  /** The digests of all spans; the last span ends with the last byte given. */
  List<byte[]> finish() throws InterruptedIOException {
    work.add(LAST);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a layer was hashed");
    }
    return digests;
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void loop() {
    try {
      for (Work next = work.take(); next != LAST; next = work.take()) {
        hash(next);
        free.add(next.buffer);
      }
      if (inSpan) {
        digests.add(sha.digest());
      }
    } catch (InterruptedException e) {
      // Closed early: nobody wants the digests any more.
      Thread.currentThread().interrupt();
    }
  }

  private void hash(Work next) {
    int at = next.from;
    for (int cut : next.cuts) {
      int index = cut >>> 1;
      if (inSpan) {
        sha.update(next.buffer, at, index - at);
        digests.add(sha.digest());
      }
      inSpan = true;
      at = index - (cut & 1);
    }
    if (inSpan) {
      sha.update(next.buffer, at, next.to - at);
    }
  }
}
