package dev.socifleet.ztoc;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The decoded bytes of spans, on their way from several threads that decode to one that takes them
 * in order. Thread-safe: one monitor, entered a few times for each 256 KiB.
 *
 * <pre>
 *  taken by the consumer        being decoded or waiting         not begun
 *  ----------------------|------------------------------------|-----------
 *                      front             at most WIDTH       next
 * </pre>
 *
 * A thread waits before it begins a span too far ahead, and within a span that is {@value #DEPTH}
 * arrays ahead; the front span is never held up by others, so somebody always gets on.
 */
final class SpanLine {
  /** Arrays of a span that wait at most: a little more than 4 MiB, as most spans are. */
  static final int DEPTH = 20;

  /** Some of a span's bytes. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Piece(byte[] buffer, int from, int length) {}

  /** What there is of a span that was begun. */
  private static final class Slot {
    final ArrayDeque<Piece> pieces = new ArrayDeque<>();
    boolean finished;
    @Nullable Throwable failure;
  }

  private final int end;
  private final List<Slot> slots = new ArrayList<>();
  private final ArrayDeque<byte[]> free = new ArrayDeque<>();
  private int front;
  private int next;
  private boolean stopped;

  /**
   * @param first span
   * @param end behind the last span
   * @param width spans that are begun and not taken, at most
   */
  SpanLine(int first, int end, int width) {
    this.front = first;
    this.next = first;
    this.end = end;
    for (int i = 0; i < width; i++) {
      slots.add(new Slot());
    }
  }

  private Slot slot(int span) {
    return slots.get(span % slots.size());
  }

  /** The next span to be decoded, or -1 if there is none any more. */
  synchronized int begin() throws InterruptedException {
    while (!stopped && next < end && next - front >= slots.size()) {
      wait();
    }
    return stopped || next == end ? -1 : next++;
  }

  /** An array to decode into. */
  synchronized byte[] buffer() {
    byte[] buffer = free.poll();
    return buffer == null ? new byte[SpanDecoder.BUFFER] : buffer;
  }

  /** Takes back what {@link #buffer} gave. */
  synchronized void giveBack(byte[] buffer) {
    free.push(buffer);
  }

  /**
   * Adds bytes to a span.
   *
   * @return false if nobody wants them any more
   */
  synchronized boolean put(int span, Piece piece) throws InterruptedException {
    Slot slot = slot(span);
    while (!stopped && slot.pieces.size() >= DEPTH) {
      wait();
    }
    slot.pieces.add(piece);
    notifyAll();
    return !stopped;
  }

  /** Says that a span is decoded, or why it can't be. */
  synchronized void finish(int span, @Nullable Throwable failure) {
    slot(span).failure = failure;
    slot(span).finished = true;
    notifyAll();
  }

  /** The next bytes in order; nothing at the end, or once a span failed. */
  synchronized Optional<Piece> take() throws InterruptedException {
    while (front < end) {
      Slot slot = slot(front);
      Piece piece = slot.pieces.poll();
      if (piece != null) {
        notifyAll();
        return Optional.of(piece);
      }
      if (!slot.finished) {
        wait();
      } else if (slot.failure != null) {
        return Optional.empty();
      } else {
        slot.finished = false;
        front++;
        notifyAll();
      }
    }
    return Optional.empty();
  }

  /** Why there is no more, if not because it is the end. */
  synchronized @Nullable Throwable failure() {
    return front < end ? Objects.requireNonNull(slot(front).failure) : null;
  }

  /** Lets go of everybody who waits to decode. */
  synchronized void stop() {
    stopped = true;
    notifyAll();
  }
}
