package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanList;
import dev.socifleet.oci.ByteRange;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests that aren't what they should be get a 4xx, are counted, and hold nothing. */
@Timeout(300)
class HostileRequestsIT {
  private static final int REQUESTS = 8;

  @TempDir Path directory;
  private StrictRegistry registry;
  private TestCache cache;
  private TestLayer layer;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(5, 1 << 20, 128 << 10);
    registry.put("team/app", layer.blob());
    cache = new TestCache(directory, registry, "requests=" + REQUESTS, "connections=40");
  }

  /** Whatever a test did, the cache serves as before and holds nothing of it. */
  @AfterEach
  void stop() throws Exception {
    try {
      cache.awaitNothingHeld();
      // With a credential that no test uses: refusals are remembered for a moment.
      assertThat(cache.get("team/app", layer.digest(), layer.spans(), "Bearer well"))
          .hasSameSizeAs(layer.spans());
      cache.awaitNothingHeld();
    } finally {
      cache.close();
      registry.close();
    }
    assertThat(registry.violations()).isEmpty();
  }

  private int raw(String request) throws Exception {
    try (RawConnection connection = new RawConnection(cache.cache.port())) {
      return connection.send(request).status();
    }
  }

  private String many() {
    return "/v1/spans?repository=" + cache.repository("team/app") + "&blob=" + layer.digest();
  }

  private int post(byte[] body) throws Exception {
    return cache.send("POST", many(), body).statusCode();
  }

  private double answered(int status) {
    return cache.metric("soci_cache_requests_total", "status", Integer.toString(status));
  }

  @Test
  void garbageIsABadRequest() throws Exception {
    List<String> garbage =
        List.of(
            "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n",
            "GET\r\n\r\n",
            "GET /v1/spans HTTP/1.1\r\nno colon\r\n\r\n",
            "POST /v1/spans HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            "POST /v1/spans HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
    for (String request : garbage) {
      assertThat(raw(request)).as(request).isBetween(400, 499);
    }
    assertThat(cache.metric("soci_cache_malformed_requests_total")).isEqualTo(garbage.size());
    assertThat(raw("GET /v1/spans HTTP/9.9\r\nHost: x\r\n\r\n")).isEqualTo(501);
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void headersAndAddressesThatAreTooLongAreRefused() throws Exception {
    assertThat(raw("GET /" + "a".repeat(100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo(414);
    assertThat(raw("GET / HTTP/1.1\r\nHost: x\r\nX: " + "a".repeat(100_000) + "\r\n\r\n"))
        .isEqualTo(431);
    assertThat(cache.metric("soci_cache_malformed_requests_total")).isEqualTo(2);
  }

  @Test
  void addressesThatMeanNothingAreNotFound() throws Exception {
    for (String path : List.of("/", "/v1", "/v1/", "/v2/spans", "/v1/spans/a/b/c", "//v1/spans")) {
      assertThat(cache.send("GET", path, new byte[0]).statusCode()).as(path).isEqualTo(404);
    }
    assertThat(cache.send("DELETE", "/v1/spans", new byte[0]).statusCode()).isEqualTo(404);
    await().atMost(Duration.ofMinutes(2)).until(() -> answered(404) == 7);
  }

  @Test
  void parametersThatMeanNothingAreBadRequests() throws Exception {
    SpanRange span = layer.spans().getFirst();
    String good = cache.repository("team/app").toString();
    List<String> queries =
        List.of(
            "",
            "?repository=" + good,
            "?repository=" + good + "&blob=sha256:12&range=0-1",
            "?repository=" + good + "&blob=" + layer.digest() + "&range=5-4",
            "?repository=" + good + "&blob=" + layer.digest() + "&range=-1-4",
            "?repository=" + good + "&blob=" + layer.digest() + "&range=0-9223372036854775807",
            "?repository=" + good + "&blob=" + layer.digest() + "&range=0-99999999999999999999",
            "?repository=../../etc/passwd&range=0-1&blob=" + layer.digest(),
            "?repository=nothing&range=0-1&blob=" + layer.digest());
    for (String query : queries) {
      assertThat(cache.send("GET", "/v1/spans/" + span.span() + query, new byte[0]).statusCode())
          .as(query)
          .isEqualTo(400);
    }
    assertThat(cache.send("GET", "/v1/spans/nothing" + queries.get(1), new byte[0]).statusCode())
        .isEqualTo(400);
    assertThat(raw("GET /v1/spans/%zz HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo(400);
    assertThat(raw("GET /v1/spans/a?range=%zz HTTP/1.1\r\nHost: x\r\n\r\n")).isEqualTo(400);
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void listsOfSpansThatAreNoneAreBadRequests() throws Exception {
    List<String> bodies =
        List.of(
            "nonsense",
            "[]",
            "{}",
            "{\"spans\":[]}",
            "{\"spans\":7}",
            "{\"spans\":[7]}",
            "{\"spans\":[{\"digest\":\"sha256:1\",\"range\":\"0-1\"}]}",
            "{\"spans\":[{\"digest\":\"" + layer.digest() + "\"}]}",
            "[".repeat(5_000),
            "{\"spans\":" + "[".repeat(1_000));
    for (String body : bodies) {
      assertThat(post(body.getBytes(StandardCharsets.UTF_8))).as(body).isEqualTo(400);
    }
    assertThat(post("x".repeat(SpanList.LONGEST_BODY + 1).getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(413);
    String span = "{\"digest\":\"" + layer.digest() + "\",\"range\":\"0-1\"}";
    String tooMany = String.join(",", Collections.nCopies(SpanList.MOST_SPANS + 1, span));
    assertThat(post(("{\"spans\":[" + tooMany + "]}").getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(400);
    assertThat(registry.served("GET")).isEmpty();
  }

  @Test
  void aSpanLargerThanTheCacheHandlesIsRefusedBeforeAnythingIsAllocated() throws Exception {
    SpanRange huge = new SpanRange(layer.digest(), new ByteRange(0, 1L << 40));
    assertThat(cache.getOne("team/app", layer.digest(), huge).statusCode()).isEqualTo(413);
    SpanRange beyond =
        new SpanRange(
            layer.digest(), new ByteRange(layer.blob().length - 1L, layer.blob().length + 1L));
    assertThat(cache.getOne("team/app", layer.digest(), beyond).statusCode()).isEqualTo(403);
    assertThat(registry.served("GET")).isEmpty();
  }

  @Test
  void bodiesWithoutALengthOrOfAnotherOneAreRefused() throws Exception {
    String head = "POST " + many() + " HTTP/1.1\r\nHost: x\r\n";
    assertThat(raw(head + "\r\n")).isEqualTo(411);
    assertThat(raw(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        .isEqualTo(411);
    assertThat(raw(head + "Content-Length: 99999999999\r\n\r\nabc")).isEqualTo(413);
    assertThat(raw(head + "Content-Length: 0\r\n\r\n")).isEqualTo(413);
  }

  @Test
  void bodiesThatEndInTheirMiddleHoldNothing() throws Exception {
    String head =
        "POST " + many() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"spans\"";
    for (int i = 0; i < 2 * REQUESTS; i++) {
      RawConnection connection = new RawConnection(cache.cache.port());
      connection.send(head);
      if (i % 2 == 0) {
        connection.reset();
      } else {
        connection.close();
      }
    }
  }

  @Test
  void callersWithoutRightsCannotHoldRequestsByBodiesThatNeverCome() throws Exception {
    registry.only("team/app", "Bearer alice");
    String head =
        "POST " + many() + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"spans\"";
    List<RawConnection> waiting = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      waiting.add(new RawConnection(cache.cache.port()).send(head));
    }
    for (RawConnection connection : waiting) {
      assertThat(connection.status()).isEqualTo(403);
      connection.close();
    }
    registry.anybody("team/app");
  }

  @Test
  void moreConnectionsThanTheLimitAreClosedAndCounted() throws Exception {
    List<RawConnection> open = new ArrayList<>();
    try {
      for (int i = 0; i < 60; i++) {
        open.add(new RawConnection(cache.cache.port()));
      }
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_connections_refused_total") >= 20);
      assertThat(cache.metric("soci_cache_connections")).isLessThanOrEqualTo(40);
    } finally {
      for (RawConnection connection : open) {
        connection.close();
      }
    }
    await().atMost(Duration.ofMinutes(2)).until(() -> cache.metric("soci_cache_connections") < 5);
  }

  @Test
  void moreRequestsThanTheLimitAreToldToComeAgain() throws Exception {
    java.util.concurrent.CountDownLatch go = new java.util.concurrent.CountDownLatch(1);
    registry.misbehave(request -> {
      SpansIT.awaitQuietly(go);
      return new StrictRegistry.Fault.None();
    });
    try (Together<Integer> calls = new Together<>()) {
      for (int i = 0; i < REQUESTS; i++) {
        SpanRange span = layer.spans().get(i % layer.spans().size());
        calls.start(() -> cache.getOne("team/app", layer.digest(), span).statusCode());
      }
      await()
          .atMost(Duration.ofMinutes(2))
          .until(() -> cache.metric("soci_cache_requests_in_flight") == REQUESTS);
      var refused = cache.getOne("team/app", layer.digest(), layer.spans().getFirst());
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.headers().firstValue("Retry-After")).contains("1");
      await().atMost(Duration.ofMinutes(2)).until(() -> answered(503) == 1);
      go.countDown();
      assertThat(calls.results()).containsOnly(200);
    }
  }
}
