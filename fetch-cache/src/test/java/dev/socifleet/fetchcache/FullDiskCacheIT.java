package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.socifleet.cacheclient.CacheUnavailableException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache without room on its disk; needs root to mount one. */
@Timeout(120)
class FullDiskCacheIT {
  @TempDir Path directory;
  private boolean mounted;

  @BeforeEach
  void mount() throws Exception {
    // Less than what a cache leaves to others: it may store nothing.
    mounted = run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", directory.toString());
    if (!mounted && System.getenv("CI") != null) {
      throw new AssertionError("CI must be able to mount a tmpfs");
    }
    assumeTrue(mounted, "a tmpfs can't be mounted: this needs root");
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      assertThat(run("umount", directory.toString())).isTrue();
    }
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
  }

  @Test
  void spansAreServedWithoutBeingStored() throws Exception {
    TestLayer layer = TestLayer.make(10, 1 << 20, 128 << 10);
    try (StrictRegistry registry = new StrictRegistry();
        TestCache cache = new TestCache(directory, registry)) {
      registry.put("team/app", layer.blob());
      for (int round = 0; round < 2; round++) {
        assertThat(cache.get("team/app", layer.digest(), layer.spans()))
            .hasSameSizeAs(layer.spans());
      }
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
