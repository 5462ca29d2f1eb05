package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.fetchcache.StrictRegistry.Fault;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a registry's failures. */
@Timeout(300)
class RegistryFailuresIT {
  @TempDir Path directory;
  private StrictRegistry registry;
  private TestCache cache;
  private TestLayer layer;
  private SpanRange span;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(4, 1 << 20, 128 << 10);
    span = layer.spans().get(1);
    registry.put("team/app", layer.blob());
    cache = new TestCache(directory, registry);
  }

  @AfterEach
  void stop() throws Exception {
    cache.close();
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private HttpResponse<String> getOne() throws Exception {
    return cache.getOne("team/app", layer.digest(), span);
  }

  /** Every further test's end: the registry is well again, and so is the cache at once. */
  private void assertWellAfterwards() throws Exception {
    registry.misbehave(request -> new Fault.None());
    assertThat(cache.get("team/app", layer.digest(), List.of(span)))
        .containsExactly(
            Arrays.copyOfRange(layer.blob(), (int) span.range().start(), (int) span.range().end()));
    cache.awaitNothingHeld();
  }

  private void onGet(Fault fault) {
    registry.misbehave(request -> request.method().equals("GET") ? fault : new Fault.None());
  }

  @Test
  void wrongBytesAreNeitherServedNorStored() throws Exception {
    onGet(new Fault.WrongBytes());
    HttpResponse<String> answer = getOne();
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.body()).contains("span-mismatch");
    assertThat(cache.metric("soci_cache_wrong_spans_total")).isEqualTo(1);
    assertThat(cache.metric("soci_cache_values")).isZero();
    assertWellAfterwards();
  }

  @Test
  void wrongBytesOfASpanThatAZtocKnowsAreTheRegistrysFault() throws Exception {
    cache.client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    onGet(new Fault.WrongBytes());
    HttpResponse<String> answer = getOne();
    assertThat(answer.statusCode()).isEqualTo(502);
    assertThat(answer.body()).contains("registry-failed");
    assertWellAfterwards();
  }

  @Test
  void aWrongSpanInARunIsTheOnlyOneThatIsMissing() throws Exception {
    List<SpanRange> run = layer.spans().subList(0, 3);
    AtomicInteger gets = new AtomicInteger();
    registry.misbehave(request ->
        request.method().equals("GET") && gets.incrementAndGet() == 1
            ? new Fault.WrongBytes()
            : new Fault.None());
    assertThatThrownBy(() -> cache.get("team/app", layer.digest(), run))
        .hasMessageContaining("are not span");
    assertThat(cache.get("team/app", layer.digest(), run)).hasSize(3);
    assertThat(cache.metric("soci_cache_wrong_spans_total")).isEqualTo(1);
  }

  @Test
  void tooManyRequestsIsPassedOnWithItsPause() throws Exception {
    onGet(new Fault.Status(429, List.of("Retry-After: 60")));
    HttpResponse<String> answer = getOne();
    assertThat(answer.statusCode()).isEqualTo(502);
    assertThat(answer.headers().firstValue("Retry-After")).contains("60");
    assertThat(answer.body()).contains("429");
    // Neither is the registry asked again for this caller in that time, nor are others kept out.
    assertThat(getOne().statusCode()).isEqualTo(502);
    assertThat(registry.counts()).containsEntry("get 429", 1);
    registry.misbehave(request -> new Fault.None());
    assertThat(cache.get("team/app", layer.digest(), List.of(span), "Bearer other")).hasSize(1);
    assertThat(cache.metric("soci_cache_registry_failures_total")).isEqualTo(1);
    cache.awaitNothingHeld();
  }

  @Test
  void aPilotWhoIsOverHisQuotaDoesNotFailTheOthers() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger gets = new AtomicInteger();
    registry.misbehave(request -> {
      if (request.method().equals("GET") && gets.incrementAndGet() == 1) {
        SpansIT.awaitQuietly(go);
        return new Fault.Status(429, List.of("Retry-After: 60"));
      }
      return new Fault.None();
    });
    try (Together<Integer> calls = new Together<>()) {
      calls.start(() -> getOne().statusCode());
      await().atMost(Duration.ofMinutes(2)).until(() -> gets.get() == 1);
      calls.start(
          () -> cache.get("team/app", layer.digest(), List.of(span), "Bearer other").size());
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_spans_total", "result", "joined") == 1);
      go.countDown();
      assertThat(calls.result(0)).isEqualTo(502);
      assertThat(calls.result(1)).isEqualTo(1);
    }
  }

  @Test
  void aServerErrorThatStaysIsABadGateway() throws Exception {
    onGet(new Fault.Status(503, List.of("Retry-After: 60")));
    assertThat(getOne().statusCode()).isEqualTo(502);
    assertThatThrownBy(() -> cache.get("team/app", layer.digest(), List.of(span)))
        .isInstanceOf(CacheUnavailableException.class);
    assertWellAfterwards();
  }

  @Test
  void aServerErrorThatPassesIsNotSeen() throws Exception {
    AtomicInteger gets = new AtomicInteger();
    registry.misbehave(request ->
        request.method().equals("GET") && gets.incrementAndGet() == 1
            ? new Fault.Status(500, List.of())
            : new Fault.None());
    assertThat(getOne().statusCode()).isEqualTo(200);
    assertWellAfterwards();
  }

  @Test
  void aBodyThatBreaksOffIsTakenUpWhereItBroke() throws Exception {
    AtomicInteger gets = new AtomicInteger();
    List<SpanRange> run = layer.spans().subList(0, 3);
    int cut = (int) run.getFirst().range().length() + 10;
    registry.misbehave(request ->
        request.method().equals("GET") && gets.incrementAndGet() == 1
            ? new Fault.CutAfter(cut)
            : new Fault.None());
    assertThat(cache.get("team/app", layer.digest(), run)).hasSize(3);
    assertThat(registry.served("GET")).hasSize(2);
    long resumed = Long.parseLong(registry.served("GET").getLast().range().split("-")[0]);
    assertThat(resumed)
        .isBetween(run.getFirst().range().start(), run.getFirst().range().start() + cut);
    assertWellAfterwards();
  }

  @Test
  void aBodyThatAlwaysBreaksOffIsABadGateway() throws Exception {
    onGet(new Fault.CutAfter(10));
    HttpResponse<String> answer = getOne();
    assertThat(answer.statusCode()).isEqualTo(502);
    // Resumed five times; a reset that overtakes an answer's head is an attempt more.
    assertThat(registry.served("GET")).hasSizeBetween(6, 20);
    assertWellAfterwards();
  }

  @Test
  void aRegistryThatStallsIsGivenUp() throws Exception {
    cache.close();
    cache = new TestCache(directory, registry, "registry-patience=3s");
    onGet(new Fault.HangAfter(10));
    HttpResponse<String> answer = getOne();
    assertThat(answer.statusCode()).isEqualTo(502);
    assertThat(answer.body()).contains("sent nothing for 3000 ms");
    assertWellAfterwards();
  }

  @Test
  void aRegistryThatIsAwayIsABadGateway() throws Exception {
    registry.close();
    assertThat(getOne().statusCode()).isEqualTo(502);
    assertThat(cache.admin("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void aRegistryWithoutRangesServesAllTheSame() throws Exception {
    onGet(new Fault.WholeBlob());
    assertThat(getOne().statusCode()).isEqualTo(200);
    assertWellAfterwards();
  }

  @Test
  void aQuestionThatFailsIsNotARefusal() throws Exception {
    registry.misbehave(request -> new Fault.Status(503, List.of("Retry-After: 60")));
    assertThat(getOne().statusCode()).isEqualTo(502);
    assertThat(registry.served("GET")).isEmpty();
    assertWellAfterwards();
  }
}
