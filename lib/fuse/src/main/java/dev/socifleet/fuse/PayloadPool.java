package dev.socifleet.fuse;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Memory for the content of deferred replies. Thread-safe. At most {@code most} are out at a time;
 * the ones used last are used first, and of those that wait only a few keep their memory.
 */
final class PayloadPool {
  private static final int KEPT = 8;

  private final int capacity;
  private final Duration patience;
  private final Semaphore permits;
  private final ArrayDeque<Message> idle = new ArrayDeque<>();

  /**
   * @param capacity bytes of each
   * @param patience how long {@link #take} waits for one
   */
  PayloadPool(int capacity, int most, Duration patience) {
    this.capacity = capacity;
    this.patience = patience;
    this.permits = new Semaphore(most);
  }

  /** Null when none got free in time, or at once where waiting isn't allowed. */
  @Nullable Message take(boolean mayWait) {
    if (!acquire(mayWait)) {
      return null;
    }
    boolean taken = false;
    try {
      Message message;
      synchronized (idle) {
        message = idle.pollFirst();
      }
      message = message != null ? message : Message.pages(capacity);
      taken = true;
      return message;
    } finally {
      if (!taken) {
        permits.release();
      }
    }
  }

  private boolean acquire(boolean mayWait) {
    if (permits.tryAcquire()) {
      return true;
    }
    if (!mayWait) {
      return false;
    }
    try {
      return permits.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  void give(Message message) {
    synchronized (idle) {
      if (idle.size() < KEPT) {
        idle.addFirst(message);
      } else {
        message.discard();
        idle.addLast(message);
      }
    }
    permits.release();
  }

  /** Somebody may still write to it: it isn't used again. */
  void giveUp() {
    permits.release();
  }
}
