package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.CacheDeniedException;
import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.FleetToken;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** zTOCs and the leases on building them. */
@Timeout(300)
class ZtocsIT {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @TempDir Path directory;
  private StrictRegistry registry;
  private TestCache cache;
  private TestLayer layer;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(7, 1 << 20, 128 << 10);
    registry.put("team/app", layer.blob());
    cache = new TestCache(directory, registry);
  }

  @AfterEach
  void stop() throws Exception {
    cache.close();
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private Optional<byte[]> asIndexer() throws Exception {
    return cache.client.ztocAsIndexer(layer.digest(), layer.spanSize());
  }

  private boolean lease(String holder, Duration duration) throws Exception {
    return cache.client.lease(layer.digest(), layer.spanSize(), holder, duration);
  }

  @Test
  void aZtocIsForIndexersAndForThoseWhoMayPullTheLayer() throws Exception {
    registry.only("team/app", "Bearer alice");
    assertThat(asIndexer()).isEmpty();
    cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    assertThat(asIndexer()).contains(layer.ztoc());
    try (HttpFleetCache node = TestCache.client(Optional.empty(), cache.uri())) {
      assertThat(
              node.ztoc(
                  cache.repository("team/app"),
                  layer.digest(),
                  layer.spanSize(),
                  Optional.of("Bearer alice")))
          .contains(layer.ztoc());
      for (Optional<String> other : List.of(Optional.of("Bearer bob"), Optional.<String>empty())) {
        assertThatThrownBy(() ->
                node.ztoc(cache.repository("team/app"), layer.digest(), layer.spanSize(), other))
            .isInstanceOf(CacheDeniedException.class);
      }
    }
    assertThat(cache.client.ztocAsIndexer(layer.digest(), layer.spanSize() + 1)).isEmpty();
  }

  @Test
  void aBadFleetTokenIsUnauthorized() throws Exception {
    String key = layer.digest() + "/" + layer.spanSize();
    for (String authorization : List.of("Bearer another-token-of-right-length", "Basic eA==", "")) {
      String[] headers = {"Authorization", authorization};
      assertThat(cache.send("GET", "/v1/ztocs/" + key, new byte[0], headers).statusCode())
          .isEqualTo(401);
      // More than the sockets' buffers take, so that the answer comes before the body's end.
      assertThat(cache.send("PUT", "/v1/ztocs/" + key, new byte[16 << 20], headers).statusCode())
          .isEqualTo(401);
      String lease = "/v1/leases/" + key + "?holder=a&seconds=5";
      assertThat(cache.send("POST", lease, new byte[0], headers).statusCode()).isEqualTo(401);
      assertThat(cache.send("DELETE", lease, new byte[0], headers).statusCode()).isEqualTo(401);
    }
    try (HttpFleetCache stranger =
        TestCache.client(
            Optional.of(FleetToken.of("another-token-of-right-length")), cache.uri())) {
      assertThatThrownBy(() -> stranger.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc()))
          .isInstanceOf(CacheUnavailableException.class)
          .hasMessageContaining("401");
    }
    assertThat(asIndexer()).isEmpty();
    assertThat(lease("b", MINUTE)).isTrue();
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> cache.metric("soci_cache_requests_total", "status", "401") == 13);
  }

  @Test
  void whatIsNoZtocOfThisSpanSizeIsRefused() throws Exception {
    assertThatThrownBy(
            () -> cache.client.putZtoc(layer.digest(), layer.spanSize(), new byte[] {1, 2, 3}))
        .hasMessageContaining("not a zTOC");
    assertThatThrownBy(() -> cache.client.putZtoc(layer.digest(), 4096, layer.ztoc()))
        .hasMessageContaining("the zTOC's spans are of");
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> cache.metric("soci_cache_requests_total", "status", "422") == 2);
    assertThat(asIndexer()).isEmpty();
  }

  @Test
  void aLieAboutARangeThatAZtocKnowsCostsTheRegistryNothing() throws Exception {
    cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    SpanRange lie = new SpanRange(Digest.of(new byte[] {1}), layer.spans().get(1).range());
    assertThatThrownBy(() -> cache.get("team/app", layer.digest(), List.of(lie)))
        .isInstanceOf(CacheDeniedException.class);
    assertThat(registry.served("GET")).isEmpty();
  }

  @Test
  void aZtocThatReplacesADifferentOneIsKeptAndCounted() throws Exception {
    TestLayer other = TestLayer.make(13, 1 << 20, layer.spanSize());
    cache.client.putZtoc(layer.digest(), layer.spanSize(), other.ztoc());
    cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    assertThat(asIndexer()).contains(layer.ztoc());
    assertThat(cache.metric("soci_cache_ztoc_conflicts_total")).isEqualTo(1);
    assertThat(cache.get("team/app", layer.digest(), layer.spans())).hasSameSizeAs(layer.spans());
  }

  /** Two repositories, even registries, share a layer; its spans are proved by its zTOC. */
  @Test
  void aSpanThatAZtocProvesIsFetchedOnceForAllRepositories() throws Exception {
    registry.put("other/app", layer.blob());
    SpanRange span = layer.spans().get(1);
    cache.get("team/app", layer.digest(), List.of(span));
    cache.get("other/app", layer.digest(), List.of(span));
    assertThat(registry.served("GET")).hasSize(1);
  }

  @Test
  void aLeaseExpiresAndIsAnothersThen() throws Exception {
    assertThat(lease("a", MINUTE)).isTrue();
    assertThat(lease("b", MINUTE)).isFalse();
    assertThat(lease("a", Duration.ofSeconds(1))).isTrue(); // renewed for as long as he says now
    await().atMost(Duration.ofMinutes(2)).until(() -> lease("b", MINUTE));
    // The first holder can neither renew nor give back what isn't his any more.
    assertThat(lease("a", MINUTE)).isFalse();
    cache.client.release(layer.digest(), layer.spanSize(), "a");
    assertThat(lease("c", MINUTE)).isFalse();
    assertThat(lease("b", MINUTE)).isTrue();
    cache.client.release(layer.digest(), layer.spanSize(), "b");
    assertThat(lease("c", MINUTE)).isTrue();
    assertThat(cache.metric("soci_cache_leases")).isEqualTo(1);
  }

  @Test
  void aLeaseIsForOneLayerAndSpanSize() throws Exception {
    assertThat(lease("a", MINUTE)).isTrue();
    assertThat(cache.client.lease(layer.digest(), layer.spanSize() + 1, "b", MINUTE)).isTrue();
    assertThat(cache.client.lease(Digest.of(new byte[1]), layer.spanSize(), "b", MINUTE)).isTrue();
  }

  @Test
  void leasesThatAreNoneAreBadRequests() throws Exception {
    String path = "/v1/leases/" + layer.digest() + "/" + layer.spanSize();
    for (String query :
        List.of(
            "",
            "?holder=a",
            "?seconds=5",
            "?holder=&seconds=5",
            "?holder=a&seconds=0",
            "?holder=a&seconds=-1",
            "?holder=a&seconds=99999999999999999999",
            "?holder=a&seconds=601",
            "?holder=" + "a".repeat(129) + "&seconds=5")) {
      assertThat(
              cache
                  .send(
                      "POST",
                      path + query,
                      new byte[0],
                      "Authorization",
                      TestCache.TOKEN.authorization())
                  .statusCode())
          .as(query)
          .isEqualTo(400);
    }
  }

  @Test
  void aLargeZtocIsStoredInPieces() throws Exception {
    TestLayer large = largeZtoc();
    assertThat(large.ztoc().length).isGreaterThan(5 << 20);
    cache.client.putZtoc(large.digest(), large.spanSize(), large.ztoc());
    assertThat(cache.client.ztocAsIndexer(large.digest(), large.spanSize())).contains(large.ztoc());
    cache.awaitNothingHeld();
  }

  /** Small spans: each checkpoint of a gzip layer has a window of 32 KiB. */
  private static TestLayer largeZtoc() throws Exception {
    return TestLayer.make(8, 16 << 20, 64 << 10);
  }
}
