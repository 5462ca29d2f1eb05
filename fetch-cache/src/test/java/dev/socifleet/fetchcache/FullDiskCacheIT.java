package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.CacheUnavailableException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache without room on its disk. */
@Timeout(300)
class FullDiskCacheIT {
  @TempDir Path directory;

  @Test
  void spansAreServedWithoutBeingStored() throws Exception {
    TestLayer layer = TestLayer.make(10, 1 << 20, 128 << 10);
    // Less than what a cache leaves to others: it may store nothing.
    try (SmallDisk _ = SmallDisk.mount(directory, 64);
        StrictRegistry registry = new StrictRegistry();
        TestCache cache = new TestCache(directory, registry)) {
      registry.put("team/app", layer.blob());
      for (int round = 0; round < 2; round++) {
        assertThat(cache.get("team/app", layer.digest(), layer.spans()))
            .hasSameSizeAs(layer.spans());
      }
      cache.awaitNothingHeld(); // what is stored is stored after it was served
      assertThat(cache.metric("soci_cache_values")).isZero();
      assertThat(cache.metric("soci_cache_unstored_values_total")).isPositive();
      assertThatThrownBy(() -> cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc()))
          .isInstanceOf(CacheUnavailableException.class)
          .hasMessageContaining("no room for it now");
      assertThat(cache.admin("/readyz").statusCode()).isEqualTo(200);
      cache.awaitNothingHeld();
      assertThat(registry.violations()).isEmpty();
    }
  }
}
