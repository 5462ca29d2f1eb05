package dev.socifleet.indexer;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to build the zTOC of (layer, span size) alone in the fleet, renewed every third of its
 * time until it is closed: a big layer takes longer than a lease lasts, and a short lease is soon
 * free again when its holder died. It saves work, nothing else: a second build gives the same
 * bytes, so a cache that is away grants every lease and a lost one stops nobody.
 */
final class BuildLease implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BuildLease.class);

  private final FleetCache cache;
  private final Digest layer;
  private final long spanSizeBytes;

  /** A name that no other build has, nor one of another thread here. */
  private final String holder;

  private final Duration lasts;
  private final Thread renewal;

  private BuildLease(
      FleetCache cache, Digest layer, long spanSizeBytes, String holder, Duration lasts) {
    this.cache = cache;
    this.layer = layer;
    this.spanSizeBytes = spanSizeBytes;
    this.holder = holder;
    this.lasts = lasts;
    renewal = Thread.ofVirtual().name("lease of " + layer).start(this::renew);
  }

  /**
   * Empty while another one holds it.
   *
   * @param lasts how long it stays when its holder dies
   */
  static Optional<BuildLease> take(
      FleetCache cache, Digest layer, long spanSizeBytes, Duration lasts) {
    String holder = UUID.randomUUID().toString();
    boolean ours;
    try {
      ours = cache.lease(layer, spanSizeBytes, holder, lasts);
    } catch (IOException e) {
      LOG.debug("built without a lease, the cache is away: {}", e.getMessage());
      ours = true;
    }
    return ours
        ? Optional.of(new BuildLease(cache, layer, spanSizeBytes, holder, lasts))
        : Optional.empty();
  }

  private void renew() {
    try {
      while (true) {
        Thread.sleep(lasts.dividedBy(3));
        try {
          if (!cache.lease(layer, spanSizeBytes, holder, lasts)) {
            LOG.debug("another one builds layer {} too: our lease had run out", layer);
          }
        } catch (IOException e) {
          LOG.debug("the lease on layer {} was not renewed: {}", layer, e.getMessage());
        }
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  /** A build that is cancelled by an interrupt gives its lease back as well. */
  @Override
  public void close() {
    boolean interrupted = Thread.interrupted();
    renewal.interrupt();
    try {
      renewal.join();
    } catch (InterruptedException e) {
      interrupted = true;
    }
    try {
      cache.release(layer, spanSizeBytes, holder);
    } catch (IOException e) {
      LOG.debug("the lease on layer {} runs out by itself: {}", layer, e.getMessage());
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
