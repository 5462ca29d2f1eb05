package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Readers who don't read, and callers who don't wait. */
@Timeout(600)
class SlowReadersIT {
  @TempDir Path directory;
  private static TestLayer layer;
  private StrictRegistry registry;

  @BeforeAll
  static void makeLayer() throws Exception {
    layer = TestLayer.make(6, 24 << 20, 4 << 20);
  }

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    registry.put("team/app", layer.blob());
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private String request(TestCache cache, SpanRange span) {
    return "GET /v1/spans/"
        + span.span()
        + "?repository="
        + cache.repository("team/app")
        + "&blob="
        + layer.digest()
        + "&range="
        + span.range().toHttp()
        + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }

  @Test
  void readersWhoTakeNothingStopNobodyElse() throws Exception {
    // Memory for a few spans only: those who stall have to give theirs back.
    try (TestCache cache = new TestCache(directory, registry, "memory=32MiB")) {
      List<SpanRange> spans = layer.spans();
      assertThat(cache.get("team/app", layer.digest(), spans)).hasSameSizeAs(spans);
      List<RawConnection> stalled = new ArrayList<>();
      try {
        for (int i = 0; i < 500; i++) {
          RawConnection reader = new RawConnection(cache.cache.port());
          reader.send(request(cache, spans.get(i % spans.size())));
          stalled.add(reader);
        }
        for (int round = 0; round < 3; round++) {
          List<byte[]> got = getPatiently(cache, spans);
          assertThat(got).hasSameSizeAs(spans);
        }
        assertThat(cache.metric("soci_cache_readers_cut_total")).isPositive();
      } finally {
        for (RawConnection reader : stalled) {
          reader.close();
        }
      }
      cache.awaitNothingHeld();
      assertThat(registry.served("GET").stream().map(StrictRegistry.Asked::range))
          .doesNotHaveDuplicates();
    }
  }

  /** As a node does that is told to come again, without its way around the cache. */
  private List<byte[]> getPatiently(TestCache cache, List<SpanRange> spans) throws Exception {
    List<byte[]> got = new ArrayList<>();
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (got.size() < spans.size()) {
      assertThat(System.nanoTime())
          .as(() -> "busy for two minutes: " + got.size() + cache.metrics())
          .isLessThan(deadline);
      try {
        got.addAll(cache.get("team/app", layer.digest(), List.of(spans.get(got.size()))));
      } catch (dev.socifleet.cacheclient.CacheUnavailableException e) {
        Thread.onSpinWait(); // it said for how long, and the client keeps to it
      }
    }
    return got;
  }

  @Test
  void aReaderWhoTakesNothingForTooLongIsCutOff() throws Exception {
    try (TestCache cache = new TestCache(directory, registry, "reader-patience=500ms")) {
      try (RawConnection reader = new RawConnection(cache.cache.port())) {
        // Several answers over one connection: more than the sockets' buffers take.
        for (SpanRange span : layer.spans()) {
          reader.send(request(cache, span));
        }
        await()
            .atMost(Duration.ofMinutes(2))
            .until(() -> cache.metric("soci_cache_readers_cut_total") == 1);
      }
      cache.awaitNothingHeld();
    }
  }

  @Test
  void callersWhoGoAwayInTheMiddleHoldNothing() throws Exception {
    try (TestCache cache = new TestCache(directory, registry)) {
      for (int i = 0; i < 50; i++) {
        RawConnection reader = new RawConnection(cache.cache.port());
        reader.send(request(cache, layer.spans().get(i % layer.spans().size())));
        if (i % 3 == 0) {
          reader.reset();
        } else if (i % 3 == 1) {
          reader.close();
        } else {
          reader.status();
          reader.reset();
        }
      }
      cache.awaitNothingHeld();
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_connections") <= 1);
      assertThat(cache.get("team/app", layer.digest(), layer.spans())).hasSameSizeAs(layer.spans());
    }
  }
}
