package dev.socifleet.events;

import java.util.TreeSet;

/**
 * How far a partition's records are finished: everything before {@link #next()} is. Thread-safe.
 */
final class Progress {
  private final TreeSet<Long> unfinished = new TreeSet<>();
  private long end;
  private long committed;

  /**
   * @param first the offset of the first record seen
   */
  Progress(long first) {
    end = first;
    committed = first;
  }

  synchronized void begin(long offset) {
    if (offset >= end) {
      unfinished.add(offset);
      end = offset + 1;
    }
  }

  synchronized void finish(long offset) {
    unfinished.remove(offset);
  }

  /** The offset to commit: where a successor has to begin. */
  synchronized long next() {
    return unfinished.isEmpty() ? end : unfinished.first();
  }

  synchronized boolean hasMoved() {
    return next() > committed;
  }

  synchronized void committed(long offset) {
    committed = Math.max(committed, offset);
  }
}
