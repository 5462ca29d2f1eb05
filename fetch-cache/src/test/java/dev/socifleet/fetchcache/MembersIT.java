package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.cacheclient.Placement;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cache of three members. */
@Timeout(300)
class MembersIT {
  @TempDir Path directory;
  private StrictRegistry registry;
  private TestLayer layer;
  private final List<URI> uris = new ArrayList<>();
  private final Map<URI, TestCache> members = new HashMap<>();
  private HttpFleetCache client;

  @BeforeEach
  void start() throws Exception {
    registry = new StrictRegistry();
    layer = TestLayer.make(9, 1 << 20, 128 << 10);
    registry.put("team/app", layer.blob());
    for (int port : freePorts(3)) {
      uris.add(URI.create("http://127.0.0.1:" + port));
    }
    for (URI uri : uris) {
      members.put(uri, open(uri));
    }
    client = TestCache.client(Optional.of(TestCache.TOKEN), uris.toArray(URI[]::new));
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    members.values().forEach(TestCache::close);
    registry.close();
    assertThat(registry.violations()).isEmpty();
  }

  private TestCache open(URI uri) throws Exception {
    return new TestCache(
        directory.resolve("member-" + uri.getPort()),
        registry,
        "listen=127.0.0.1:" + uri.getPort(),
        "peers.members=" + String.join(",", uris.stream().map(URI::toString).toList()),
        "peers.self=" + uri);
  }

  private TestCache at(URI uri) {
    return Objects.requireNonNull(members.get(uri));
  }

  /** Different ones: all are held until all are chosen. */
  private static List<Integer> freePorts(int count) throws Exception {
    List<ServerSocket> held = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return held.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }

  private List<byte[]> get() throws Exception {
    List<byte[]> got = new ArrayList<>();
    client.spans(
        at(uris.getFirst()).repository("team/app"),
        layer.digest(),
        layer.spans(),
        Optional.empty(),
        (span, bytes) -> got.add(bytes));
    return got;
  }

  /** The members in the order in which they are asked for the layer's spans. */
  private List<URI> order() {
    return new Placement(uris).order(Placement.ofSpan(layer.digest(), 0));
  }

  private TestCache choice(int number) {
    return at(order().get(number));
  }

  @Test
  void theRegistryIsAskedOnceWhoeverIsAsked() throws Exception {
    SpanRange span = layer.spans().get(1);
    // The last choice first: it asks the first choice, which keeps the span.
    for (int number : List.of(2, 1, 0, 2)) {
      assertThat(choice(number).get("team/app", layer.digest(), List.of(span))).hasSize(1);
    }
    assertThat(get()).hasSameSizeAs(layer.spans());
    long bytes = registry.served("GET").size();
    assertThat(bytes).isLessThanOrEqualTo(3); // the one span, and the runs on both its sides
    assertThat(choice(0).metric("soci_cache_registry_requests_total", "kind", "get"))
        .isEqualTo(bytes);
    assertThat(choice(1).metric("soci_cache_values")).isZero();
    assertThat(choice(2).metric("soci_cache_peer_spans_total")).isEqualTo(2);
  }

  @Test
  void aMemberThatIsAwayIsReplacedByTheNextChoiceAndComesBack() throws Exception {
    assertThat(get()).hasSameSizeAs(layer.spans());
    URI first = order().getFirst();
    int before = registry.served("GET").size();
    at(first).awaitNothingHeld(); // its spans are on disk
    at(first).close();

    // The second choice is asked only for what it has, once; then it takes the first one's place.
    assertThatThrownBy(this::get).isInstanceOf(CacheUnavailableException.class);
    await().atMost(Duration.ofMinutes(2)).ignoreExceptions().until(() -> !get().isEmpty());
    assertThat(registry.served("GET")).hasSize(before + 1);
    choice(1).awaitNothingHeld();
    assertThat(choice(1).metric("soci_cache_values")).isEqualTo(layer.spans().size());

    members.put(first, open(first));
    await()
        .atMost(Duration.ofMinutes(2))
        .ignoreExceptions()
        .until(() -> {
          get();
          return choice(0).metric("soci_cache_spans_total", "result", "hit") > 0;
        });
    assertThat(registry.served("GET")).hasSize(before + 1);
  }

  @Test
  void withoutAnyMemberEachCallFailsAtOnce() throws Exception {
    members.values().forEach(TestCache::close);
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(this::get).isInstanceOf(CacheUnavailableException.class);
    }
    // Each failure of a member keeps it out for longer; on a slow machine that takes a few more.
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() ->
            assertThatThrownBy(this::get)
                .hasMessageContaining("all 3 members of the cache failed"));
    assertThat(registry.all()).isEmpty();
  }

  @Test
  void aZtocAndItsLeaseAreFoundOnTheNextChoice() throws Exception {
    List<URI> order = new Placement(uris).order(Placement.ofZtoc(layer.digest(), layer.spanSize()));
    at(order.getFirst()).close();
    assertThat(client.lease(layer.digest(), layer.spanSize(), "a", Duration.ofMinutes(1))).isTrue();
    assertThat(client.lease(layer.digest(), layer.spanSize(), "b", Duration.ofMinutes(1)))
        .isFalse();
    client.putZtoc(layer.digest(), layer.spanSize(), layer.ztoc());
    assertThat(client.ztocAsIndexer(layer.digest(), layer.spanSize())).contains(layer.ztoc());
  }
}
