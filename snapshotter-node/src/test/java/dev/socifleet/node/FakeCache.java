package dev.socifleet.node;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A cache in memory with what a test puts into it; what only indexers do fails the test. */
public final class FakeCache implements FleetCache {
  private final Map<Digest, byte[]> spans = new ConcurrentHashMap<>();
  private final Map<String, byte[]> ztocs = new ConcurrentHashMap<>();
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private volatile @Nullable IOException failure;

  /** What the cache sends when it is asked for the span; right or not. */
  public void putSpan(Digest span, byte[] bytes) {
    spans.put(span, bytes);
  }

  public void holdZtoc(Digest layer, long spanSize, byte[] ztoc) {
    ztocs.put(layer + " " + spanSize, ztoc);
  }

  /** Every request fails with this, or none with null. */
  public void failWith(@Nullable IOException exception) {
    failure = exception;
  }

  /** Each as {@code spans <count> <authorization>} or {@code ztoc <layer>}. */
  public List<String> requests() {
    synchronized (requests) {
      return List.copyOf(requests);
    }
  }

  @Override
  public void spans(
      RepositoryName repository,
      Digest blob,
      List<SpanRange> wanted,
      Optional<String> registryAuthorization,
      SpanSink sink)
      throws IOException {
    requests.add("spans " + wanted.size() + " " + registryAuthorization.orElse("anonymous"));
    fail();
    for (SpanRange span : wanted) {
      byte[] bytes = spans.get(span.span());
      if (bytes == null) {
        throw new CacheUnavailableException("no span " + span.span(), null);
      }
      sink.accept(span, bytes);
    }
  }

  @Override
  public Optional<byte[]> ztoc(
      RepositoryName repository,
      Digest layer,
      long spanSizeBytes,
      Optional<String> registryAuthorization)
      throws IOException {
    requests.add("ztoc " + layer);
    fail();
    return Optional.ofNullable(ztocs.get(layer + " " + spanSizeBytes));
  }

  private void fail() throws IOException {
    IOException exception = failure;
    if (exception != null) {
      throw exception;
    }
  }

  @Override
  public Optional<byte[]> ztocAsIndexer(Digest layer, long spanSizeBytes) {
    throw new AssertionError("a node is no indexer");
  }

  @Override
  public void putZtoc(Digest layer, long spanSizeBytes, byte[] ztoc) {
    throw new AssertionError("a node is no indexer");
  }

  @Override
  public boolean lease(Digest layer, long spanSizeBytes, String holder, Duration duration) {
    throw new AssertionError("a node is no indexer");
  }

  @Override
  public void release(Digest layer, long spanSizeBytes, String holder) {
    throw new AssertionError("a node is no indexer");
  }

  @Override
  public void close() {}
}
