package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.CacheDeniedException;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.fetchcache.StrictRegistry.Fault;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nobody gets bytes that the registry would not give him. */
@Timeout(300)
class RightsIT {
  private static final String ALICE = "Bearer alice";
  private static final String BOB = "Bearer bob";
  private static final String MALLORY = "Bearer mallory";

  @TempDir Path directory;
  private StrictRegistry registry;
  private TestCache cache;
  private TestLayer layer;
  private SpanRange span;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(2, 1 << 20, 128 << 10);
    span = layer.spans().get(1);
    registry.put("team/app", layer.blob());
    registry.only("team/app", ALICE, BOB);
    cache = new TestCache(directory, registry);
  }

  @AfterEach
  void stop() throws Exception {
    cache.close();
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private List<byte[]> get(String... authorization) throws Exception {
    return cache.get("team/app", layer.digest(), List.of(span), authorization);
  }

  @Test
  void aHitIsForThoseToWhomTheRegistryGivesIt() throws Exception {
    assertThat(get(ALICE)).hasSize(1);
    assertThatThrownBy(() -> get(MALLORY)).isInstanceOf(CacheDeniedException.class);
    assertThatThrownBy(() -> get()).isInstanceOf(CacheDeniedException.class);
    assertThat(get(BOB)).hasSize(1);
    assertThat(registry.served("GET")).hasSize(1);
    assertThat(cache.metric("soci_cache_denied_total")).isEqualTo(2);
  }

  @Test
  void nobodyJoinsAFlightWithoutARight() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch fetching = new CountDownLatch(1);
    registry.misbehave(request -> {
      if (request.method().equals("GET")) {
        fetching.countDown();
        SpansIT.awaitQuietly(go);
      }
      return new Fault.None();
    });
    try (Together<List<byte[]>> calls = new Together<>()) {
      calls.start(() -> get(ALICE));
      fetching.await();
      // Refused while the flight is in the air: it wasn't waited for.
      assertThatThrownBy(() -> get(MALLORY)).isInstanceOf(CacheDeniedException.class);
      assertThatThrownBy(() -> get()).isInstanceOf(CacheDeniedException.class);
      assertThat(cache.metric("soci_cache_spans_total", "result", "joined")).isZero();
      go.countDown();
      assertThat(calls.result(0)).hasSize(1);
    }
  }

  @Test
  void aPilotWhoseCredentialIsRefusedDoesNotFailTheOthers() throws Exception {
    refusePilot(new Fault.Status(403, List.of()));
  }

  @Test
  void neitherDoesOneWhoIsRefusedInTheMiddle() throws Exception {
    refusePilot(new Fault.CutAfter(10), new Fault.Status(403, List.of()));
  }

  /** Alice's requests fail so, and then Bob's is answered. */
  private void refusePilot(Fault... faults) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger gets = new AtomicInteger();
    registry.misbehave(request -> {
      int get = request.method().equals("GET") ? gets.incrementAndGet() : Integer.MAX_VALUE;
      if (get > faults.length) {
        return new Fault.None();
      }
      SpansIT.awaitQuietly(go);
      return faults[get - 1];
    });
    try (Together<List<byte[]>> calls = new Together<>()) {
      calls.start(() -> get(ALICE));
      await().atMost(Duration.ofMinutes(2)).until(() -> gets.get() == 1);
      calls.start(() -> get(BOB));
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_spans_total", "result", "joined") == 1);
      go.countDown();
      assertThat(calls.failure(0)).isInstanceOf(CacheDeniedException.class);
      assertThat(calls.result(1)).hasSize(1);
    } catch (ExecutionException e) {
      throw new AssertionError("a waiter was failed by another one's credential", e);
    }
    assertThat(cache.metric("soci_cache_flights_restarted_total")).isEqualTo(1);
  }

  @Test
  void aForeignSpanUnderABlobOfOnesOwnIsRefused() throws Exception {
    byte[] own = TestLayer.make(3, 1 << 20, 128 << 10).blob();
    registry.put("mallory/own", own);
    registry.only("mallory/own", MALLORY);
    assertThat(get(ALICE)).hasSize(1);
    assertThatThrownBy(() -> cache.get("mallory/own", Digest.of(own), List.of(span), MALLORY))
        .isInstanceOf(CacheDeniedException.class);
    assertThatThrownBy(() -> cache.get("mallory/own", layer.digest(), List.of(span), MALLORY))
        .isInstanceOf(CacheDeniedException.class);
  }

  @Test
  void aLiarsDigestPoisonsNothing() throws Exception {
    SpanRange lie = new SpanRange(Digest.of(new byte[] {1}), span.range());
    SpanRange shifted =
        new SpanRange(span.span(), new ByteRange(span.range().start(), span.range().end() - 1));
    for (SpanRange wrong : List.of(lie, shifted)) {
      assertThatThrownBy(() -> cache.get("team/app", layer.digest(), List.of(wrong), ALICE))
          .isInstanceOf(CacheDeniedException.class);
    }
    assertThat(cache.metric("soci_cache_wrong_spans_total")).isEqualTo(2);
    assertThat(cache.metric("soci_cache_values")).isZero();
    assertThat(get(BOB)).hasSize(1);
    // The truth is known by now; so is the lie.
    assertThatThrownBy(() -> cache.get("team/app", layer.digest(), List.of(lie), ALICE))
        .isInstanceOf(CacheDeniedException.class);
  }

  @Test
  void aLiarInTheAirDelaysNobody() throws Exception {
    SpanRange lie = new SpanRange(Digest.of(new byte[] {1}), span.range());
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger gets = new AtomicInteger();
    registry.misbehave(request -> {
      if (request.method().equals("GET") && gets.incrementAndGet() == 1) {
        SpansIT.awaitQuietly(go);
      }
      return new Fault.None();
    });
    try (Together<List<byte[]>> calls = new Together<>()) {
      calls.start(() -> cache.get("team/app", layer.digest(), List.of(lie), BOB));
      await().atMost(Duration.ofMinutes(2)).until(() -> gets.get() == 1);
      assertThat(get(ALICE)).hasSize(1);
      go.countDown();
      assertThat(calls.failure(0)).isInstanceOf(CacheDeniedException.class);
    }
  }

  @Test
  void aRevokedCredentialIsRefusedWhenItsMemoryIsOver() throws Exception {
    cache.close();
    cache = new TestCache(directory, registry, "authorization-memory=1s");
    assertThat(get(ALICE)).hasSize(1);
    registry.revoke("team/app", ALICE);
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> {
          try {
            get(ALICE);
            return false;
          } catch (CacheDeniedException e) {
            return true;
          }
        });
    assertThat(get(BOB)).hasSize(1);
  }

  @Test
  void registriesAndRepositoriesThatAreNotAllowedAreRefused() throws Exception {
    assertThat(
            cache
                .send(
                    "GET",
                    "/v1/spans/"
                        + span.span()
                        + "?repository=127.0.0.1:1/team/app&range=0-1&blob="
                        + layer.digest(),
                    new byte[0])
                .statusCode())
        .isEqualTo(403);
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void aCredentialThatIsNeitherBasicNorBearerIsNotPassedOn() throws Exception {
    assertThat(
            cache
                .getOne("team/app", layer.digest(), span, "X-Registry-Authorization", "Digest x")
                .statusCode())
        .isEqualTo(400);
    assertThat(registry.all()).isEmpty();
  }
}
