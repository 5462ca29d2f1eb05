package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.fetchcache.store.Proof;
import dev.socifleet.fetchcache.store.SpanBytes;
import dev.socifleet.oci.Digest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * One way of a span into memory. Callers join until it is over; all get the same buffer. Its key
 * has the blob and the range beside the digest: who asks for a foreign digest under a blob of his
 * own is on a flight of his own, which ends at that blob's bytes. Thread-safe.
 */
final class Flight {
  record Key(Digest blob, SpanRange span) {
    Proof proof() {
      return new Proof(blob, span.range().start());
    }
  }

  private final Key key;
  private final boolean trusted;
  private final SpanBytes buffer;
  private final List<Waiter> waiters = new ArrayList<>();
  private boolean arrived;
  private boolean over;

  /**
   * @param trusted a zTOC says that the blob has this digest in this range
   * @param buffer of the span's size; this flight's to release
   */
  Flight(Key key, boolean trusted, SpanBytes buffer) {
    this.key = key;
    this.trusted = trusted;
    this.buffer = buffer;
  }

  Key key() {
    return key;
  }

  boolean trusted() {
    return trusted;
  }

  SpanBytes buffer() {
    return buffer;
  }

  /** False when it is over. */
  synchronized boolean join(Waiter waiter) {
    if (over) {
      return false;
    }
    if (arrived) {
      waiter.give(buffer);
    } else {
      waiters.add(waiter);
    }
    return true;
  }

  /** The buffer holds the span's bytes, checked. */
  synchronized void arrive() {
    arrived = true;
    waiters.forEach(waiter -> waiter.give(buffer));
    waiters.clear();
  }

  synchronized boolean hasArrived() {
    return arrived;
  }

  /**
   * Doesn't go on for these.
   *
   * @return who is asked next, or empty when nobody waits any more: then it is over
   */
  synchronized Optional<Waiter> refuse(Predicate<Caller> whom, Refusal why) {
    waiters.removeIf(waiter -> {
      boolean meant = whom.test(waiter.caller());
      if (meant) {
        waiter.refuse(why);
      }
      return meant || waiter.isGone();
    });
    if (waiters.isEmpty()) {
      finish();
      return Optional.empty();
    }
    return Optional.of(waiters.getFirst());
  }

  /** It failed for everybody. */
  synchronized void fail(Refusal why) {
    waiters.forEach(waiter -> waiter.refuse(why));
    waiters.clear();
    finish();
  }

  /** Nobody joins any more; the buffer lives on with those who have it. Once is enough. */
  synchronized void finish() {
    if (!over) {
      over = true;
      buffer.release();
    }
  }
}
