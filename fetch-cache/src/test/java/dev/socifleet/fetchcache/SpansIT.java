package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.Digest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What spans cost the registry. */
@Timeout(300)
class SpansIT {
  @TempDir Path directory;
  private StrictRegistry registry;
  private TestLayer layer;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(1, 1 << 20, 128 << 10);
    registry.put("team/app", layer.blob());
  }

  @AfterEach
  void stop() throws Exception {
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private byte[] bytes(SpanRange span) {
    return Arrays.copyOfRange(layer.blob(), (int) span.range().start(), (int) span.range().end());
  }

  @Test
  void aSpanIsFetchedOnceHoweverManyAsk() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    registry.misbehave(request -> {
      if (request.method().equals("GET")) {
        awaitQuietly(go);
      }
      return new StrictRegistry.Fault.None();
    });
    List<SpanRange> one = List.of(layer.spans().get(2));
    int callers = 40;
    try (TestCache cache = new TestCache(directory, registry);
        Together<List<byte[]>> all = new Together<>()) {
      for (int i = 0; i < callers; i++) {
        all.start(() -> cache.get("team/app", layer.digest(), one));
      }
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_spans_total", "result", "joined") == callers - 1);
      go.countDown();
      for (List<byte[]> got : all.results()) {
        assertThat(got).containsExactly(bytes(one.getFirst()));
      }
      assertThat(registry.served("GET")).hasSize(1);
      assertThat(registry.served("HEAD")).hasSize(1);
      assertThat(cache.metric("soci_cache_registry_bytes_total"))
          .isEqualTo(one.getFirst().range().length());
      cache.awaitNothingHeld();
    }
  }

  @Test
  void neighboursAreFetchedByOneRequestAndThenComeFromDisk() throws Exception {
    try (TestCache cache = new TestCache(directory, registry)) {
      List<SpanRange> spans = layer.spans();
      assertThat(spans.size()).isGreaterThan(4);
      for (int round = 0; round < 2; round++) {
        List<byte[]> got = cache.get("team/app", layer.digest(), spans);
        assertThat(got).hasSameSizeAs(spans);
        for (int i = 0; i < spans.size(); i++) {
          assertThat(got.get(i)).isEqualTo(bytes(spans.get(i)));
        }
        cache.awaitNothingHeld(); // until they are on disk, the next one who asks joins them
      }
      assertThat(registry.served("GET")).hasSize(1);
      assertThat(cache.metric("soci_cache_spans_total", "result", "hit")).isEqualTo(spans.size());
    }
  }

  @Test
  void whatWasServedIsThereAfterARestart() throws Exception {
    List<SpanRange> spans = layer.spans();
    try (TestCache cache = new TestCache(directory, registry)) {
      cache.get("team/app", layer.digest(), spans);
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_values") == spans.size());
    }
    try (TestCache cache = new TestCache(directory, registry)) {
      assertThat(cache.get("team/app", layer.digest(), spans)).hasSameSizeAs(spans);
      assertThat(registry.served("GET")).hasSize(1);
    }
  }

  @Test
  void onlyIfCachedCostsTheRegistryNothing() throws Exception {
    SpanRange span = layer.spans().get(1);
    try (TestCache cache = new TestCache(directory, registry)) {
      assertThat(
              cache
                  .getOne("team/app", layer.digest(), span, "Cache-Control", "only-if-cached")
                  .statusCode())
          .isEqualTo(504);
      assertThat(registry.served("GET")).isEmpty();
      cache.get("team/app", layer.digest(), List.of(span));
      assertThat(
              cache
                  .getOne("team/app", layer.digest(), span, "Cache-Control", "only-if-cached")
                  .statusCode())
          .isEqualTo(200);
      assertThat(registry.served("GET")).hasSize(1);
    }
  }

  @Test
  void aSinkThatFailsEndsItsCallAndNothingElse() throws Exception {
    try (TestCache cache = new TestCache(directory, registry)) {
      Digest blob = layer.digest();
      assertThatThrownBy(() ->
              cache.client.spans(
                  cache.repository("team/app"),
                  blob,
                  layer.spans(),
                  java.util.Optional.empty(),
                  (span, bytes) -> {
                    throw new java.io.IOException("the disk of the node is full");
                  }))
          .hasMessage("the disk of the node is full");
      assertThat(cache.get("team/app", blob, layer.spans())).hasSameSizeAs(layer.spans());
      assertThat(registry.served("GET")).hasSize(1);
      cache.awaitNothingHeld();
    }
  }

  static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
