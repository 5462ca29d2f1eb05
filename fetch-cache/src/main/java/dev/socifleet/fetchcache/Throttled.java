package dev.socifleet.fetchcache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import dev.socifleet.oci.Digest;
import java.time.Duration;

/**
 * Callers whom their registry told to come again later: until then it isn't asked for them. Kept by
 * caller, so that one who is over his quota takes nothing from the others. Thread-safe.
 */
final class Throttled {
  private static final Duration LONGEST = Duration.ofMinutes(1);
  private static final int MOST = 100_000;

  private record Told(Refusal why, Duration pause) {}

  private final Cache<Digest, Told> callers =
      Caffeine.newBuilder()
          .maximumSize(MOST)
          .expireAfter(Expiry.creating((Digest caller, Told told) -> told.pause()))
          .build();

  /** Remembers it when a registry's failure is that it is asked too much. */
  void note(Caller caller, Refusal why) {
    why.retryAfter()
        .filter(pause -> why.isThrottling() && pause.isPositive())
        .ifPresent(pause ->
            callers.put(
                caller.key(), new Told(why, pause.compareTo(LONGEST) < 0 ? pause : LONGEST)));
  }

  /**
   * @throws Refusal what the registry said, while that holds
   */
  void check(Caller caller) throws Refusal {
    Told told = callers.getIfPresent(caller.key());
    if (told != null) {
      throw told.why();
    }
  }
}
