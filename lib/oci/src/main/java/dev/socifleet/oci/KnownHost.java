package dev.socifleet.oci;

import java.time.Duration;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** What a client has learnt of one registry. Thread-safe. */
final class KnownHost {
  private static final int LOCKS = 64;

  final Throttle throttle;

  /**
   * How it wanted to be asked the last time: so the next request, of whatever repository, brings
   * its Authorization at once and saves a 401.
   */
  volatile @Nullable Challenge challenge;

  private final Lock[] referrers = new Lock[LOCKS];

  KnownHost(Duration longestWait) {
    throttle = new Throttle(longestWait);
    for (int i = 0; i < LOCKS; i++) {
      referrers[i] = new ReentrantLock();
    }
  }

  /** Held by who changes the fallback tag of a subject: our own writers wait for each other. */
  Lock referrers(RepositoryName repository, Digest subject) {
    return referrers[Math.floorMod(31 * repository.hashCode() + subject.hashCode(), LOCKS)];
  }
}
