package dev.socifleet.oci;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who we are to one host: looked up when it asks, and again when it refuses what we had, since
 * passwords are renewed (ECR's live 12 hours). Thread-safe.
 */
final class Identity {
  private static final Duration PAUSE = Duration.ofSeconds(10);
  private static final long OLD = Duration.ofMinutes(1).toNanos();

  private final Supplier<Credential> source;
  private final long pauseNanos;
  private @Nullable Credential known;
  private long askedAt;

  Identity(Supplier<Credential> source) {
    this(source, PAUSE);
  }

  /**
   * @param pause between two look-ups at least
   */
  Identity(Supplier<Credential> source, Duration pause) {
    this.source = source;
    pauseNanos = pause.toNanos();
  }

  static Identity of(Credential credential) {
    Identity given = new Identity(() -> credential);
    given.known = credential;
    return given;
  }

  /** Whether it needs no look-up. */
  synchronized boolean isGiven() {
    return known != null;
  }

  synchronized Credential credential() {
    Credential credential = known;
    return credential == null ? ask() : credential;
  }

  /** One that was looked up a moment ago: for who can't tell us that it was refused. */
  synchronized Credential recent() {
    return System.nanoTime() - askedAt > OLD ? ask() : credential();
  }

  /** Whether there is another one by now. */
  synchronized boolean renewed(Credential refused) {
    if (!refused.equals(known)) {
      return true; // somebody else was told before
    }
    if (System.nanoTime() - askedAt < pauseNanos) {
      return false;
    }
    return !ask().equals(refused);
  }

  private Credential ask() {
    Credential credential = source.get();
    known = credential;
    askedAt = System.nanoTime();
    return credential;
  }
}
