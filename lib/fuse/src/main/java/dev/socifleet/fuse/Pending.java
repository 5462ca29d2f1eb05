package dev.socifleet.fuse;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Deferred replies that aren't answered yet, by the request's {@code unique}. Thread-safe. There
 * are as many as processes wait, and what the kernel reads ahead (max_background).
 *
 * <p>A thread may read an interrupt while another still has the request that it is for in its
 * hands, not deferred yet. The last few interrupts of unknown requests are therefore remembered and
 * looked up by {@link #add}. Answering EAGAIN, so that the kernel sends them again, would have both
 * sides spin for as long as that other thread takes.
 */
final class Pending {
  private static final int REMEMBERED = 64;

  private final ConcurrentMap<Long, DeferredAnswer> answers = new ConcurrentHashMap<>();
  private final AtomicLongArray early = new AtomicLongArray(REMEMBERED);
  private final AtomicInteger next = new AtomicInteger();

  void add(DeferredAnswer answer) {
    answers.put(answer.unique(), answer);
    if (next.get() != 0 && isEarly(answer.unique())) {
      answer.interrupt();
    }
  }

  private boolean isEarly(long unique) {
    for (int i = 0; i < REMEMBERED; i++) {
      if (early.get(i) == unique) {
        return true;
      }
    }
    return false;
  }

  void remove(DeferredAnswer answer) {
    answers.remove(answer.unique(), answer);
  }

  void interrupt(long unique) {
    DeferredAnswer answer = answers.get(unique);
    if (answer == null) {
      early.set(Math.floorMod(next.getAndIncrement(), REMEMBERED), unique);
      answer = answers.get(unique);
    }
    if (answer != null) {
      answer.interrupt();
    }
  }

  /** The connection is gone, and with it everybody who waits. */
  void interruptAll() {
    answers.values().forEach(DeferredAnswer::interrupt);
  }

  int count() {
    return answers.size();
  }
}
