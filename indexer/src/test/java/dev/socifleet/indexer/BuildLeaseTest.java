package dev.socifleet.indexer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.oci.Digest;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BuildLeaseTest {
  private static final Digest LAYER = Digest.of(new byte[] {1});
  private static final long SPAN = 1 << 20;

  private final OneFleetCache cache = new OneFleetCache();

  private BuildLease take() {
    return BuildLease.take(cache, LAYER, SPAN, Duration.ofMillis(30)).orElseThrow();
  }

  @Test
  void itIsRenewedUnderOneNameUntilItIsGivenBack() {
    try (BuildLease _ = take()) {
      await().atMost(Duration.ofSeconds(200)).until(() -> cache.leases().size() >= 3);
      assertThat(BuildLease.take(cache, LAYER, SPAN, Duration.ofHours(1))).isEmpty();
    }
    int renewals = cache.leases().size();
    assertThat(cache.leases()).as("always the same holder").containsOnly(cache.leases().getFirst());
    assertThat(cache.isLeased(LAYER, SPAN)).isFalse();
    try (BuildLease _ = take()) {
      assertThat(cache.leases().get(renewals)).isNotEqualTo(cache.leases().getFirst());
    }
  }

  @Test
  void theOtherOnesLeaseIsNotGivenBack() {
    try (BuildLease _ = take()) {
      cache.giveLeaseTo("another", LAYER, SPAN); // ours had run out
    }
    assertThat(cache.isLeased(LAYER, SPAN)).isTrue();
  }

  @Test
  void aCacheThatIsAwayGrantsEveryLease() {
    cache.goAway();
    try (BuildLease _ = take();
        BuildLease _ = take()) {
      assertThat(cache.leases()).isEmpty();
    }
  }
}
