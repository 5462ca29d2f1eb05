package dev.socifleet.oci;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who we are to one host: looked up when it asks, and again when it refuses what we had, since
 * passwords are renewed (ECR's live 12 hours). Thread-safe.
 */
final class Identity {
  private static final long PAUSE = Duration.ofSeconds(10).toNanos();

  private final Supplier<Credential> source;
  private @Nullable Credential known;
  private long askedAt;

  Identity(Supplier<Credential> source) {
    this.source = source;
  }

  static Identity of(Credential credential) {
    return new Identity(() -> credential);
  }

  synchronized Credential credential() {
    Credential credential = known;
    return credential == null ? ask() : credential;
  }

  /** Whether there is another one by now; looked up at most once in ten seconds. */
  synchronized boolean renewed(Credential refused) {
    if (!refused.equals(known)) {
      return true; // somebody else was told before
    }
    if (System.nanoTime() - askedAt < PAUSE) {
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
