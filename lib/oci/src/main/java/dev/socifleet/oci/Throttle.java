package dev.socifleet.oci;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many requests one registry gets at a time: half as many after it said that it is too much
 * (429), one more after each round of answers in which it did not. A request counts until the head
 * of its answer: bodies don't, since one may be read only as fast as another is written. While a
 * Retry-After runs that is no longer than our longest wait, there are none. Thread-safe.
 */
final class Throttle {
  static final int MOST = 64;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Duration longestWait;
  private int limit = MOST;
  private int running;
  private int answersSinceChange;
  private long halvedAt = System.nanoTime();
  private long notBefore = System.nanoTime();

  Throttle(Duration longestWait) {
    this.longestWait = longestWait;
  }

  /**
   * Waits for a place.
   *
   * @return when it got it, to be given back
   * @throws TimeoutException when there was none for three times the longest wait
   */
  long enter() throws InterruptedException, TimeoutException {
    long patience = longestWait.multipliedBy(3).toNanos();
    lock.lockInterruptibly();
    try {
      while (true) {
        long now = System.nanoTime();
        long closedFor = notBefore - now;
        if (running < limit && closedFor <= 0) {
          running++;
          return now;
        }
        if (patience <= 0) {
          throw new TimeoutException(
              closedFor > 0
                  ? "the registry keeps asking to be left alone (Retry-After)"
                  : running + " requests to this registry are running, more it doesn't bear now");
        }
        long wait = closedFor > 0 ? Math.min(closedFor, patience) : patience;
        patience -= wait - Math.max(0, changed.awaitNanos(wait));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives a place back, with nothing learnt: no answer came. */
  void leave() {
    lock.lock();
    try {
      running--;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void leaveAnswered() {
    lock.lock();
    try {
      running--;
      if (limit < MOST && ++answersSinceChange >= limit) {
        limit++;
        answersSinceChange = 0;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The registry said that it is too much, and how long to leave it alone (or zero). */
  void leaveRefused(long entered, Duration retryAfter) {
    lock.lock();
    try {
      running--;
      long now = System.nanoTime();
      // Requests that were on their way together are one piece of news.
      if (entered - halvedAt >= 0) {
        limit = Math.max(1, limit / 2);
        answersSinceChange = 0;
        halvedAt = now;
      }
      // Who has to wait longer than we ever do fails at once (RegistryHttp.pause), with how long.
      // Nobody else may be made to wait or fail for it: as a rule such a limit is one account's.
      // Where it is everybody's, each finds out with one request, of which ever fewer run at once.
      long pause = retryAfter.compareTo(longestWait) > 0 ? 0 : retryAfter.toNanos();
      if (now + pause - notBefore > 0) {
        notBefore = now + pause;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  int limit() {
    lock.lock();
    try {
      return limit;
    } finally {
      lock.unlock();
    }
  }
}
