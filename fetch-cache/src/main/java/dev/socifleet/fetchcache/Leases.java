package dev.socifleet.fetchcache;

import dev.socifleet.oci.Digest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Who builds which zTOC. In memory only: a lease that is lost with the process costs at most a zTOC
 * built twice. Thread-safe.
 */
final class Leases {
  static final Duration LONGEST = Duration.ofMinutes(10);
  private static final int MOST = 100_000;

  private record Key(Digest layer, long spanSizeBytes) {}

  private record Lease(String holder, long untilNanos) {}

  private final LongSupplier nanos;
  private final Map<Key, Lease> leases = new ConcurrentHashMap<>();

  Leases() {
    this(System::nanoTime);
  }

  Leases(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /**
   * Takes or renews a lease.
   *
   * @return empty when he has it now, else how long another one does at most
   */
  Optional<Duration> take(Digest layer, long spanSizeBytes, String holder, Duration duration)
      throws Refusal {
    long now = nanos.getAsLong();
    if (leases.size() >= MOST) {
      leases.values().removeIf(lease -> lease.untilNanos() - now <= 0);
      if (leases.size() >= MOST) {
        throw Refusal.overloaded(MOST + " leases are held");
      }
    }
    Lease his =
        leases.compute(
            new Key(layer, spanSizeBytes),
            (key, held) ->
                held != null && !held.holder().equals(holder) && held.untilNanos() - now > 0
                    ? held
                    : new Lease(holder, now + duration.toNanos()));
    return his.holder().equals(holder)
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(his.untilNanos() - now));
  }

  /** Gives a lease back; another one's stays. */
  void release(Digest layer, long spanSizeBytes, String holder) {
    leases.computeIfPresent(
        new Key(layer, spanSizeBytes), (key, held) -> held.holder().equals(holder) ? null : held);
  }

  /** Those that hold; the others go with this. */
  int count() {
    long now = nanos.getAsLong();
    leases.values().removeIf(lease -> lease.untilNanos() - now <= 0);
    return leases.size();
  }
}
