package dev.socifleet.cacheclient;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * Leaves a member alone that failed: for {@value #FIRST_MILLIS} ms, then twice as long after each
 * failed try, up to {@value #LONGEST_MILLIS} ms, each a fifth more or less. When the time is over
 * one caller tries; until it knows, the others still pass by. So a member that is down costs one
 * failed request now and then, not one a read. Thread-safe.
 */
final class BackOff {
  static final long FIRST_MILLIS = 250;
  static final long LONGEST_MILLIS = 30_000;

  private final LongSupplier nanos;
  private final Duration longestTry;
  private int failures;
  private long quietUntil;

  /**
   * @param longestTry how long a try can take at most
   * @param nanos the clock, as {@link System#nanoTime}
   */
  BackOff(Duration longestTry, LongSupplier nanos) {
    this.longestTry = longestTry;
    this.nanos = nanos;
    quietUntil = nanos.getAsLong();
  }

  /** Whether the member may be asked now; who gets true tells of the outcome. */
  synchronized boolean enter() {
    long now = nanos.getAsLong();
    if (quietUntil - now > 0) {
      return false;
    }
    if (failures > 0) {
      quietUntil = now + longestTry.toNanos();
    }
    return true;
  }

  /** Whether {@link #enter} would be refused. */
  synchronized boolean quiet() {
    return quietUntil - nanos.getAsLong() > 0;
  }

  synchronized void succeeded() {
    failures = 0;
    quietUntil = nanos.getAsLong();
  }

  /** Nothing was learnt: the caller went away. */
  synchronized void abandoned() {
    if (failures > 0) {
      quietUntil = nanos.getAsLong();
    }
  }

  synchronized void failed() {
    failures = Math.min(failures + 1, 20);
    long millis = Math.min(LONGEST_MILLIS, FIRST_MILLIS << (failures - 1));
    long jitter = ThreadLocalRandom.current().nextLong(-millis / 5, millis / 5 + 1);
    pause(Duration.ofMillis(millis + jitter));
  }

  /** The member asked for a pause. */
  synchronized void pause(Duration duration) {
    quietUntil = nanos.getAsLong() + duration.toNanos();
  }
}
