package dev.socifleet.node.fetch;

import static dev.socifleet.node.MemoryRegistry.REPOSITORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.CacheDeniedException;
import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.node.FakeCache;
import dev.socifleet.node.MemoryRegistry;
import dev.socifleet.node.fetch.FetchCounts.Content;
import dev.socifleet.node.fetch.FetchCounts.Count;
import dev.socifleet.node.fetch.FetchCounts.Source;
import dev.socifleet.node.layers.LayerBytes.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FleetBytesTest {
  private final MemoryRegistry registry = new MemoryRegistry();
  private final FakeCache cache = new FakeCache();
  private final FetchCounts counts = new FetchCounts(new Metrics());
  private final StallGuard stalls = new StallGuard(Duration.ofMinutes(5));
  private final byte[] layer = random(10_000);
  private final Digest digest = registry.putBlob(layer);
  private final FleetBytes alone = bytes(Optional.empty(), stalls);
  private final FleetBytes withCache = bytes(Optional.of(cache), stalls);

  @AfterEach
  void close() {
    stalls.close();
  }

  @Test
  void neighbouringSpansAreOneRequest() throws IOException {
    List<SpanRange> spans = List.of(span(1000, 2000), span(2000, 3500), span(3500, 3600));

    assertThat(fetch(alone, spans)).isEqualTo(Arrays.copyOfRange(layer, 1000, 3600));
    assertThat(registry.requests()).containsExactly("blob " + digest + " 1000-3599");
    assertThat(counts.all())
        .contains(new Count(Source.REGISTRY, Content.SPANS, 1, 2600))
        .contains(new Count(Source.CACHE, Content.SPANS, 0, 0));
  }

  @Test
  void aByteThatTwoSpansShareIsSentOnceAndGivenToBoth() throws IOException {
    List<SpanRange> spans = List.of(span(10, 220), span(219, 328), span(327, 665));
    List<byte[]> received = new ArrayList<>();

    alone.fetch(REPOSITORY, digest, spans, (span, bytes) -> received.add(bytes));

    assertThat(received)
        .containsExactly(
            Arrays.copyOfRange(layer, 10, 220),
            Arrays.copyOfRange(layer, 219, 328),
            Arrays.copyOfRange(layer, 327, 665));
    assertThat(registry.requests()).containsExactly("blob " + digest + " 10-664");
    assertThat(counts.all()).contains(new Count(Source.REGISTRY, Content.SPANS, 1, 655));
  }

  @Test
  void spansApartAreRequestsApartInTheOrderAskedFor() throws IOException {
    List<SpanRange> spans = List.of(span(5000, 5100), span(0, 100), span(200, 300));

    byte[] expected = new byte[300];
    System.arraycopy(layer, 5000, expected, 0, 100);
    System.arraycopy(layer, 0, expected, 100, 100);
    System.arraycopy(layer, 200, expected, 200, 100);
    assertThat(fetch(alone, spans)).isEqualTo(expected);
    assertThat(registry.requests()).hasSize(3);
  }

  @Test
  void theCacheIsAskedFirstInTheNameOfTheRegistrysCaller() throws IOException {
    registry.authorization("Bearer abc");
    List<SpanRange> spans = List.of(cached(0, 100), cached(100, 200));

    assertThat(fetch(withCache, spans)).isEqualTo(Arrays.copyOfRange(layer, 0, 200));
    assertThat(cache.requests()).containsExactly("spans 2 Bearer abc");
    assertThat(registry.requests()).containsExactly("authorization");
    assertThat(counts.all()).contains(new Count(Source.CACHE, Content.SPANS, 1, 200));
  }

  @Test
  void anonymousAccessIsNotFoundOutAgainForEachFetch() throws IOException {
    for (int i = 0; i < 3; i++) {
      fetch(withCache, List.of(cached(0, 100)));
    }

    assertThat(registry.requests()).containsExactly("authorization");
  }

  @Test
  void whatTheCacheDoesNotHaveTheRegistryGives() throws IOException {
    List<SpanRange> spans = List.of(cached(0, 100), span(100, 200), span(200, 300));

    assertThat(fetch(withCache, spans)).isEqualTo(Arrays.copyOfRange(layer, 0, 300));
    assertThat(registry.requests()).endsWith("blob " + digest + " 100-299");
  }

  @Test
  void aCacheThatIsDownOrDeniesCostsNothingButItsTime() throws IOException {
    for (IOException failure :
        List.of(new CacheUnavailableException("down", null), new CacheDeniedException("no"))) {
      cache.failWith(failure);
      registry.clearRequests();

      assertThat(fetch(withCache, List.of(cached(0, 100))))
          .isEqualTo(Arrays.copyOfRange(layer, 0, 100));
      assertThat(registry.requests()).endsWith("blob " + digest + " 0-99");
    }
  }

  @Test
  void wrongBytesOfTheCacheReachNobodyAndTheRegistryIsAsked() throws IOException {
    SpanRange first = cached(0, 100);
    SpanRange second = span(100, 200);
    cache.putSpan(second.span(), random(100));

    assertThat(fetch(withCache, List.of(first, second)))
        .isEqualTo(Arrays.copyOfRange(layer, 0, 200));
    assertThat(registry.requests()).endsWith("blob " + digest + " 100-199");
  }

  @Test
  void wrongBytesOfTheRegistryAreAskedForOnceMore() throws IOException {
    AtomicInteger requests = new AtomicInteger();
    registry.body(
        digest,
        bytes ->
            new ByteArrayInputStream(requests.getAndIncrement() == 0 ? flipped(bytes) : bytes));

    assertThat(fetch(alone, List.of(span(0, 100), span(100, 200))))
        .isEqualTo(Arrays.copyOfRange(layer, 0, 200));
    assertThat(requests).hasValue(2);
  }

  @Test
  void wrongBytesTwiceAreAnError() {
    registry.body(digest, bytes -> new ByteArrayInputStream(flipped(bytes)));

    assertThatThrownBy(() -> fetch(alone, List.of(span(0, 100))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("wrong bytes twice")
        .hasMessageContaining(digest.toString());
    assertThat(registry.requests()).hasSize(2);
  }

  @Test
  void aConnectionThatBreaksIsTakenUpWhereItBroke() throws IOException {
    AtomicInteger requests = new AtomicInteger();
    registry.body(
        digest,
        bytes ->
            new ByteArrayInputStream(
                requests.getAndIncrement() == 0 ? Arrays.copyOf(bytes, 150) : bytes));

    assertThat(fetch(alone, List.of(span(0, 100), span(100, 200), span(200, 300))))
        .isEqualTo(Arrays.copyOfRange(layer, 0, 300));
    assertThat(registry.requests())
        .containsExactly("blob " + digest + " 0-299", "blob " + digest + " 100-299");
  }

  @Test
  void aRegistryThatAlwaysBreaksOffIsAnErrorSoon() {
    registry.body(digest, bytes -> new ByteArrayInputStream(new byte[0]));

    assertThatThrownBy(() -> fetch(alone, List.of(span(0, 100)))).isInstanceOf(IOException.class);
    assertThat(registry.requests()).hasSize(3);
  }

  @Test
  void aBodyThatStopsComingIsAnErrorNotAHang() {
    registry.body(digest, bytes -> new NeverComing());

    try (StallGuard soon = new StallGuard(Duration.ofMillis(200))) {
      assertThatThrownBy(() -> fetch(bytes(Optional.empty(), soon), List.of(span(0, 100))))
          .hasMessageContaining("nothing came for");
    }
  }

  @Test
  void aRenewedCredentialIsReadWhenTheOldOneIsRefused() throws IOException {
    AtomicInteger requests = new AtomicInteger();
    registry.hook(request -> {
      if (requests.getAndIncrement() == 0) {
        throw MemoryRegistry.failure(401, false);
      }
    });

    fetch(alone, List.of(span(0, 100)));

    assertThat(registry.timesOpened()).isEqualTo(2);
  }

  @Test
  void aRegistryThatRefusesIsAnErrorThatSaysSo() {
    registry.hook(request -> {
      throw MemoryRegistry.failure(403, false);
    });

    assertThatThrownBy(() -> fetch(alone, List.of(span(0, 100))))
        .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.denied()).isTrue());
  }

  @Test
  void aRegistryThatIsNotAllowedIsNotAsked() {
    assertThatThrownBy(() ->
            alone.fetch(
                new RepositoryName("elsewhere.test", "app"),
                digest,
                List.of(span(0, 100)),
                (span, bytes) -> {}))
        .isInstanceOf(RegistryException.class);
    assertThat(registry.requests()).isEmpty();
  }

  @Test
  void aReceiverThatFailsIsNotTakenForAFailedSource() {
    IOException full = new IOException("no space left");

    assertThatThrownBy(() ->
            withCache.fetch(
                REPOSITORY,
                digest,
                List.of(cached(0, 100)),
                (span, bytes) -> {
                  throw full;
                }))
        .isSameAs(full);
    assertThat(registry.requests()).containsExactly("authorization");
  }

  @Test
  void anInterruptEndsTheWait() throws InterruptedException {
    CountDownLatch asked = new CountDownLatch(1);
    registry.hook(request -> {
      asked.countDown();
      new CountDownLatch(1).await();
    });
    AtomicReference<Exception> failure = new AtomicReference<>();
    Thread reader =
        Thread.startVirtualThread(() -> {
          try {
            fetch(alone, List.of(span(0, 100)));
          } catch (IOException e) {
            failure.set(e);
          }
        });

    asked.await();
    reader.interrupt();
    reader.join();

    assertThat(failure.get()).isInstanceOf(InterruptedIOException.class);
  }

  @Test
  void transfersFromOneRegistryAreBounded() throws InterruptedException {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch two = new CountDownLatch(2);
    CountDownLatch go = new CountDownLatch(1);
    registry.hook(request -> {
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      two.countDown();
      go.await();
      now.decrementAndGet();
    });
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      SpanRange span = span(i * 100, i * 100 + 100);
      readers.add(
          Thread.startVirtualThread(() -> {
            try {
              fetch(alone, List.of(span));
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          }));
    }

    two.await();
    go.countDown();
    for (Thread reader : readers) {
      reader.join();
    }

    assertThat(most).hasValue(2);
    assertThat(registry.requests()).hasSize(8);
  }

  @Test
  void aSpanLargerThanAnyoneMakesIsRefusedBeforeMemoryIsTaken() {
    SpanRange huge = new SpanRange(digest, new ByteRange(0, 1L << 40));

    assertThatThrownBy(() -> fetch(alone, List.of(huge))).hasMessageContaining("the largest");
    assertThat(registry.requests()).isEmpty();
  }

  private FleetBytes bytes(Optional<FakeCache> from, StallGuard guard) {
    return new FleetBytes(
        new Repositories(registry), from.map(c -> c), counts, guard, /* transfersPerRegistry= */ 2);
  }

  private byte[] fetch(FleetBytes from, List<SpanRange> spans) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    from.fetch(REPOSITORY, digest, spans, (span, bytes) -> all.writeBytes(bytes));
    return all.toByteArray();
  }

  private SpanRange span(int start, int end) {
    return new SpanRange(
        Digest.of(Arrays.copyOfRange(layer, start, end)), new ByteRange(start, end));
  }

  private SpanRange cached(int start, int end) {
    SpanRange span = span(start, end);
    cache.putSpan(span.span(), Arrays.copyOfRange(layer, start, end));
    return span;
  }

  private static byte[] flipped(byte[] bytes) {
    byte[] other = bytes.clone();
    other[other.length / 2] ^= 1;
    return other;
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  /** Blocks until it is closed, as a body does that the server stopped sending. */
  private static final class NeverComing extends InputStream {
    private final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public int read() throws IOException {
      return read(new byte[1], 0, 1);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      try {
        closed.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      throw new IOException("closed");
    }

    @Override
    public void close() {
      closed.countDown();
    }
  }
}
