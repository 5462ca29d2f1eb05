package dev.socifleet.oci;

import java.time.Duration;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** What a client has learnt of one registry. Thread-safe. */
final class KnownHost {
  private static final int LOCKS = 64;
  private static final long DOWN = Duration.ofSeconds(10).toNanos();

  final Throttle throttle;

  /**
   * How it wanted to be asked the last time: so the next request, of whatever repository, brings
   * its Authorization at once and saves a 401.
   */
  volatile @Nullable Challenge challenge;

  private final Lock[] referrers = new Lock[LOCKS];

  /** Until when it is left alone, by {@link System#nanoTime()}. */
  private volatile long downUntil = System.nanoTime();

  KnownHost(Duration longestWait) {
    throttle = new Throttle(longestWait);
    for (int i = 0; i < LOCKS; i++) {
      referrers[i] = new ReentrantLock();
    }
  }

  /** It doesn't answer: not to be asked for a while, if there is another one. */
  void down() {
    downUntil = System.nanoTime() + DOWN;
  }

  boolean isDown() {
    return downUntil - System.nanoTime() > 0;
  }

  /** Held by who changes the fallback tag of a subject: our own writers wait for each other. */
  Lock referrers(RepositoryName repository, Digest subject) {
    return referrers[Math.floorMod(31 * repository.hashCode() + subject.hashCode(), LOCKS)];
  }
}
