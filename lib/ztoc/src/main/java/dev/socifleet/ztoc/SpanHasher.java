package dev.socifleet.ztoc;

import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Hashes the spans of a layer on a thread of its own, beside the one that decodes it.
 *
 * <p>Where spans begin is only known once the bytes are decoded; therefore work comes after
 * decoding, with its cuts, and the buffer goes back to the pool from here.
 *
 * <p>Used by one thread.
 */
@SuppressWarnings("ReferenceEquality") // the end mark is one known object
final class SpanHasher implements AutoCloseable {
  /** Bytes [from, to) of a buffer and the places in it where spans begin. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Work(byte[] buffer, int from, int to, int[] cuts) {}

  private static final Work LAST = new Work(new byte[0], 0, 0, new int[0]);

  private final ChunkBuffers buffers;
  private final BlockingQueue<Work> work = new ArrayBlockingQueue<>(ChunkBuffers.COUNT + 1);
  private final List<byte[]> digests = new ArrayList<>();
  private final MessageDigest sha = sha256();
  private final Thread thread;
  private boolean inSpan;
  private @Nullable Throwable failure;

  SpanHasher(ChunkBuffers buffers) {
    this.buffers = buffers;
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

  /** Hashes the bytes that follow those given before, and gives the buffer back. */
  void hash(byte[] buffer, int from, int to, int[] cuts) {
    work.add(new Work(buffer, from, to, cuts));
  }

  /** The digests of all spans; the last span ends with the last byte given. */
  List<byte[]> finish() throws InterruptedIOException {
    work.add(LAST);
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw ChunkBuffers.interrupted();
    }
    if (failure != null) {
      throw new IllegalStateException("hashing spans failed", failure);
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
        try {
          hash(next);
        } catch (Throwable e) {
          // Buffers must go round all the same, or everybody waits for ever.
          failure = e;
        }
        buffers.giveBack(next.buffer);
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
      int index = SpanCuts.index(cut);
      if (inSpan) {
        sha.update(next.buffer, at, index - at);
        digests.add(sha.digest());
      }
      inSpan = true;
      at = index - (SpanCuts.shared(cut) ? 1 : 0);
    }
    if (inSpan) {
      sha.update(next.buffer, at, next.to - at);
    }
  }
}
