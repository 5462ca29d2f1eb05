package dev.socifleet.indexer;

import dev.socifleet.cacheclient.CacheUnavailableException;
import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A fleet's cache in this process, whose leases end by release only. It may be away. What only
 * nodes ask is refused. Thread-safe.
 */
final class OneFleetCache implements FleetCache {
  private record Key(Digest layer, long spanSizeBytes) {}

  private final Map<Key, byte[]> ztocs = new ConcurrentHashMap<>();
  private final Map<Key, String> holders = new ConcurrentHashMap<>();
  private final List<String> leases = new CopyOnWriteArrayList<>();
  private volatile boolean away;

  void goAway() {
    away = true;
  }

  /** The holder of each lease that was granted or renewed, in this order. */
  List<String> leases() {
    return leases;
  }

  boolean isLeased(Digest layer, long spanSizeBytes) {
    return holders.containsKey(new Key(layer, spanSizeBytes));
  }

  /** As if the lease had run out and another one had taken it. */
  void giveLeaseTo(String holder, Digest layer, long spanSizeBytes) {
    holders.put(new Key(layer, spanSizeBytes), holder);
  }

  /** As the HTTP client does it: a thread that was interrupted gets no answer. */
  private void ask() throws IOException {
    if (away || Thread.currentThread().isInterrupted()) {
      throw new CacheUnavailableException("the cache is away", null);
    }
  }

  @Override
  public Optional<byte[]> ztocAsIndexer(Digest layer, long spanSizeBytes) throws IOException {
    ask();
    return Optional.ofNullable(ztocs.get(new Key(layer, spanSizeBytes)));
  }

  @Override
  public void putZtoc(Digest layer, long spanSizeBytes, byte[] ztoc) throws IOException {
    ask();
    ztocs.put(new Key(layer, spanSizeBytes), ztoc);
  }

  @Override
  public boolean lease(Digest layer, long spanSizeBytes, String holder, Duration duration)
      throws IOException {
    ask();
    String now = holders.merge(new Key(layer, spanSizeBytes), holder, (first, _) -> first);
    if (!now.equals(holder)) {
      return false;
    }
    leases.add(holder);
    return true;
  }

  @Override
  public void release(Digest layer, long spanSizeBytes, String holder) throws IOException {
    ask();
    holders.remove(new Key(layer, spanSizeBytes), holder);
  }

  @Override
  public void spans(
      RepositoryName repository,
      Digest blob,
      List<SpanRange> spans,
      Optional<String> registryAuthorization,
      SpanSink sink) {
    throw new UnsupportedOperationException("an indexer reads no spans");
  }

  @Override
  public Optional<byte[]> ztoc(
      RepositoryName repository,
      Digest layer,
      long spanSizeBytes,
      Optional<String> registryAuthorization) {
    throw new UnsupportedOperationException("an indexer has the fleet token");
  }

  @Override
  public void close() {}
}
