package dev.socifleet.node.layers;

import java.util.ArrayList;
import java.util.List;

/** A span on its way to this node, and the reads that wait for it. Thread-safe. */
final class SpanFlight {
  final int span;
  private final List<WaitingRead> reads = new ArrayList<>();
  private boolean ended;

  SpanFlight(int span) {
    this.span = span;
  }

  /** Lets a read wait; false when the flight has ended. */
  synchronized boolean add(WaitingRead read) {
    if (!ended) {
      reads.add(read);
    }
    return !ended;
  }

  /** Answers the reads that have all their bytes now. */
  synchronized void progress() {
    reads.removeIf(WaitingRead::serve);
  }

  /** Whether anybody waits. */
  synchronized boolean isAwaited() {
    reads.removeIf(WaitingRead::isAnswered);
    return !reads.isEmpty();
  }

  /** Nobody can join any more; the reads that are left are the caller's. */
  synchronized List<WaitingRead> end() {
    ended = true;
    List<WaitingRead> left = List.copyOf(reads);
    reads.clear();
    return left;
  }
}
