package dev.socifleet.node.layers;

import dev.socifleet.fuse.Errno;
import dev.socifleet.fuse.Reply;
import org.jspecify.annotations.Nullable;

/**
 * A read whose bytes aren't all here yet. Answered once: with the bytes as soon as they are there,
 * an error, or EINTR when the reader doesn't wait any more. Thread-safe.
 */
final class WaitingRead {
  private final LocalSpans local;
  private final Runnable answered;
  final long from;
  final int length;
  private @Nullable Reply reply;
  private int rounds;

  /**
   * @param from uncompressed offset
   * @param answered called once, with the answer
   */
  WaitingRead(LocalSpans local, long from, int length, Runnable answered) {
    this.local = local;
    this.from = from;
    this.length = length;
    this.answered = answered;
  }

  /** Takes the reply along; the caller's thread is free then. */
  synchronized void take(Reply immediate) {
    reply = immediate.defer(() -> fail(Errno.INTR));
  }

  /** The uncompressed offset that ends it. */
  long end() {
    return from + length;
  }

  synchronized boolean isAnswered() {
    return reply == null;
  }

  /** Answers if all bytes are here; false if they aren't. */
  synchronized boolean serve() {
    Reply waiting = reply;
    if (waiting == null) {
      return true;
    }
    if (!local.has(from, length) || !local.read(from, length, waiting.payload())) {
      return false;
    }
    reply = null;
    answered.run();
    waiting.sendPayload();
    return true;
  }

  synchronized void fail(int errno) {
    Reply waiting = reply;
    if (waiting != null) {
      reply = null;
      answered.run();
      waiting.sendError(errno);
    }
  }

  /** How often it had to begin again because its spans were taken away before it got them. */
  synchronized int nextRound() {
    return ++rounds;
  }
}
