package dev.socifleet.node.fetch;

import dev.socifleet.cacheclient.CacheDeniedException;
import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.node.fetch.FetchCounts.Content;
import dev.socifleet.node.fetch.FetchCounts.Source;
import dev.socifleet.node.fetch.SpanDelivery.CorruptBytesException;
import dev.socifleet.node.layers.LayerBytes;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spans from the fleet's cache, and what it can't give from the registry: neighbouring ones in one
 * ranged GET. Thread-safe. Every span is checked here against its digest, whoever sent it; wrong
 * bytes are asked of the registry once more. A connection that breaks is taken up at the span where
 * it broke.
 *
 * <p>At most so many transfers run at a time from one registry, fewer where spans are large; a
 * further caller waits, and one registry that hangs holds up nobody who reads from another. An
 * interrupt ends a caller's wait.
 */
public final class FleetBytes implements LayerBytes {
  private static final Logger log = LoggerFactory.getLogger(FleetBytes.class);
  private static final int ATTEMPTS_WITHOUT_PROGRESS = 3;
  // A span's bytes are one array. What builders make is near 4 MiB; a zTOC may claim anything.
  private static final long LARGEST_SPAN = 64L << 20;
  // One permit stands for this much memory, so large spans are fetched fewer at a time.
  private static final long BYTES_A_PERMIT = 8L << 20;

  private final Repositories repositories;
  private final Optional<FleetCache> cache;
  private final FetchCounts counts;
  private final StallGuard stalls;
  private final int transfersPerRegistry;
  private final Map<String, Semaphore> transfers = new ConcurrentHashMap<>();

  public FleetBytes(
      Repositories repositories,
      Optional<FleetCache> cache,
      FetchCounts counts,
      StallGuard stalls,
      int transfersPerRegistry) {
    this.repositories = repositories;
    this.cache = cache;
    this.counts = counts;
    this.stalls = stalls;
    this.transfersPerRegistry = transfersPerRegistry;
  }

  @Override
  public void fetch(RepositoryName repository, Digest layer, List<SpanRange> spans, Sink sink)
      throws IOException {
    for (SpanRange span : spans) {
      if (span.range().length() > LARGEST_SPAN) {
        throw new IOException(
            "span "
                + span.span()
                + " of layer "
                + layer
                + " has "
                + span.range().length()
                + " bytes, the largest that are read have "
                + LARGEST_SPAN);
      }
    }
    SpanDelivery delivery = new SpanDelivery(layer, spans, sink);
    try {
      if (cache.isPresent() && !delivery.done()) {
        fromCache(cache.get(), repository, layer, delivery);
      }
      if (!delivery.done()) {
        fromRegistry(repository, layer, delivery);
      }
    } catch (IOException e) {
      if (Thread.currentThread().isInterrupted() && !(e instanceof InterruptedIOException)) {
        throw interrupted(repository, layer, e);
      }
      throw e;
    }
  }

  /** Delivers what the cache has; whatever it doesn't is left to be asked of the registry. */
  private void fromCache(
      FleetCache from, RepositoryName repository, Digest layer, SpanDelivery delivery)
      throws IOException {
    List<FleetCache.SpanRange> wanted =
        delivery.remaining().stream()
            .map(span -> new FleetCache.SpanRange(span.span(), span.range()))
            .toList();
    Optional<String> authorization;
    try {
      authorization = repositories.authorization(repository);
    } catch (RegistryException e) {
      log.debug("no authorization of {} for the cache: {}", repository, e.getMessage());
      return; // the registry itself says why, or has recovered
    }
    counts.request(Source.CACHE, Content.SPANS);
    try {
      from.spans(
          repository,
          layer,
          wanted,
          authorization,
          (span, bytes) -> {
            counts.bytes(Source.CACHE, Content.SPANS, bytes.length);
            delivery.accept(bytes);
          });
    } catch (CorruptBytesException e) {
      counts.corrupt(Source.CACHE);
      log.warn("the cache sent wrong bytes, the registry is asked: {}", e.getMessage());
    } catch (IOException e) {
      delivery.failIfReceiverDid();
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      counts.cacheFailed(e instanceof CacheDeniedException);
      log.debug("the cache can't give spans of {}, the registry is asked: {}", layer, e.toString());
    }
  }

  private void fromRegistry(RepositoryName repository, Digest layer, SpanDelivery delivery)
      throws IOException {
    int failures = 0;
    int corruptAt = -1;
    boolean refused = false;
    while (!delivery.done()) {
      int before = delivery.delivered();
      try {
        transfer(repository, layer, delivery);
        continue;
      } catch (CorruptBytesException e) {
        counts.corrupt(Source.REGISTRY);
        if (corruptAt == delivery.delivered()) {
          throw new IOException(
              "cannot read layer "
                  + layer
                  + " from "
                  + repository
                  + ": the registry sent wrong bytes twice: "
                  + e.getMessage(),
              e);
        }
        corruptAt = delivery.delivered();
        log.warn("{} sent wrong bytes, asked once more: {}", repository, e.getMessage());
      } catch (RegistryException e) {
        delivery.failIfReceiverDid();
        if (e.denied() && !refused) {
          refused = true; // the credential may have been renewed since it was read
          repositories.forget(repository);
        } else if (!e.temporary() || gaveUp(delivery, before, ++failures)) {
          throw e;
        }
      } catch (IOException e) {
        delivery.failIfReceiverDid();
        if (gaveUp(delivery, before, ++failures)) {
          throw e;
        }
      }
      if (delivery.delivered() > before) {
        failures = 0;
      }
    }
  }

  private static boolean gaveUp(SpanDelivery delivery, int before, int failures) {
    return Thread.currentThread().isInterrupted()
        || (delivery.delivered() == before && failures >= ATTEMPTS_WITHOUT_PROGRESS);
  }

  /** One ranged GET, for the first remaining span and its neighbours. */
  private void transfer(RepositoryName repository, Digest layer, SpanDelivery delivery)
      throws IOException {
    List<SpanRange> group = delivery.neighbours();
    ByteRange range =
        new ByteRange(group.getFirst().range().start(), group.getLast().range().end());
    Semaphore permits = permits(repository);
    int needed = permitsFor(group);
    try {
      permits.acquire(needed);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(repository, layer, e);
    }
    try {
      counts.request(Source.REGISTRY, Content.SPANS);
      String what = "bytes " + range.toHttp() + " of layer " + layer + " (" + repository + ")";
      try (InputStream body =
          stalls.guard(repositories.get(repository).openBlob(layer, range), what)) {
        split(body, group, delivery);
      }
    } finally {
      permits.release(needed);
    }
  }

  /** Cuts a run of bytes into its spans; the end of one may be the start of the next. */
  private void split(InputStream body, List<SpanRange> group, SpanDelivery delivery)
      throws IOException {
    byte[] shared = {};
    for (int i = 0; i < group.size(); i++) {
      ByteRange range = group.get(i).range();
      byte[] bytes = Arrays.copyOf(shared, (int) range.length());
      int read = body.readNBytes(bytes, shared.length, bytes.length - shared.length);
      counts.bytes(Source.REGISTRY, Content.SPANS, read);
      if (read < bytes.length - shared.length) {
        throw new IOException("the registry's answer ended early");
      }
      if (i + 1 < group.size()) {
        long again = range.end() - group.get(i + 1).range().start();
        shared = Arrays.copyOfRange(bytes, bytes.length - (int) again, bytes.length);
      }
      delivery.accept(bytes);
    }
  }

  private int permitsFor(List<SpanRange> group) {
    long largest = group.stream().mapToLong(span -> span.range().length()).max().orElse(0);
    return Math.clamp((largest + BYTES_A_PERMIT - 1) / BYTES_A_PERMIT, 1, transfersPerRegistry);
  }

  private Semaphore permits(RepositoryName repository) {
    // Only for registries of the allow-list, so the map can't grow without end.
    if (!repositories.allows(repository)) {
      return new Semaphore(transfersPerRegistry);
    }
    return transfers.computeIfAbsent(
        repository.registry(), _ -> new Semaphore(transfersPerRegistry, /* fair= */ true));
  }

  private static InterruptedIOException interrupted(
      RepositoryName repository, Digest layer, Exception cause) {
    InterruptedIOException failure =
        new InterruptedIOException(
            "reading layer " + layer + " from " + repository + " was interrupted");
    failure.initCause(cause);
    return failure;
  }
}
