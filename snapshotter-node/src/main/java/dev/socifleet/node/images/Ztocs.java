package dev.socifleet.node.images;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.FetchCounts.Content;
import dev.socifleet.node.fetch.FetchCounts.Source;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.layers.UnservableLayerException;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * zTOCs as an index names them: from the fleet's cache, else from the registry. Their sizes are
 * claims until the bytes are here: none is larger than allowed, and all that are in memory at a
 * time aren't either. Thread-safe.
 */
final class Ztocs {
  private static final Logger log = LoggerFactory.getLogger(Ztocs.class);
  private static final int CONNECTIONS_A_ZTOC = 4;

  /** What an index or a zTOC says isn't so. Permanent. */
  static final class BrokenZtocException extends Exception {
    BrokenZtocException(String message) {
      super(message);
    }
  }

  /** What is done with a zTOC while it is in memory. */
  @FunctionalInterface
  interface Use {
    void accept(byte[] ztoc) throws IOException, UnservableLayerException;
  }

  private final Repositories repositories;
  private final Optional<FleetCache> cache;
  private final FetchCounts counts;
  private final StallGuard stalls;
  private final int maxSize;
  // One permit a byte.
  private final Semaphore memory;

  Ztocs(
      Repositories repositories,
      Optional<FleetCache> cache,
      FetchCounts counts,
      StallGuard stalls,
      long maxSize) {
    this.repositories = repositories;
    this.cache = cache;
    this.counts = counts;
    this.stalls = stalls;
    this.maxSize = (int) maxSize;
    this.memory = new Semaphore(this.maxSize, /* fair= */ true);
  }

  /** Hands out the zTOC of one layer; its digest is the one in the index. */
  void use(RepositoryName repository, LayerZtoc ztoc, Use use)
      throws IOException, UnservableLayerException, BrokenZtocException, InterruptedException {
    if (ztoc.ztocSize() < 1 || ztoc.ztocSize() > maxSize) {
      throw new BrokenZtocException(
          "the index says that zTOC "
              + ztoc.ztoc()
              + " has "
              + ztoc.ztocSize()
              + " bytes, more than max-ztoc-size ("
              + maxSize
              + ") or none");
    }
    int size = (int) ztoc.ztocSize();
    memory.acquire(size);
    try {
      Optional<byte[]> cached = fromCache(repository, ztoc);
      use.accept(cached.isPresent() ? cached.get() : fromRegistry(repository, ztoc.ztoc(), size));
    } finally {
      memory.release(size);
    }
  }

  /** What the fleet has for (layer, span size), if it is the zTOC that the index means. */
  private Optional<byte[]> fromCache(RepositoryName repository, LayerZtoc ztoc) {
    if (cache.isEmpty()) {
      return Optional.empty();
    }
    try {
      Optional<String> authorization = repositories.authorization(repository);
      counts.request(Source.CACHE, Content.ZTOCS);
      Optional<byte[]> found =
          cache.get().ztoc(repository, ztoc.layer(), ztoc.spanSize(), authorization);
      found.ifPresent(bytes -> counts.bytes(Source.CACHE, Content.ZTOCS, bytes.length));
      return found.filter(bytes -> bytes.length == ztoc.ztocSize() && ztoc.ztoc().matches(bytes));
    } catch (IOException e) {
      log.debug("no zTOC of {} from the cache: {}", ztoc.layer(), e.toString());
      return Optional.empty();
    }
  }

  /**
   * By range, for the index tells the size; a connection that breaks is taken up where it broke.
   */
  private byte[] fromRegistry(RepositoryName name, Digest digest, int size)
      throws IOException, BrokenZtocException {
    Repository repository = repositories.get(name);
    byte[] bytes = new byte[size];
    int position = 0;
    for (int connection = 1; position < size; connection++) {
      int before = position;
      counts.request(Source.REGISTRY, Content.ZTOCS);
      try (InputStream body =
          stalls.guard(
              repository.openBlob(digest, new ByteRange(position, size)),
              "zTOC " + digest + " (" + name + ")")) {
        while (position < size) {
          int count = body.read(bytes, position, size - position);
          if (count < 0) {
            throw new IOException("the registry's answer ended early");
          }
          position += count;
        }
      } catch (IOException e) {
        if (position == before || connection == CONNECTIONS_A_ZTOC) {
          throw e;
        }
      } finally {
        counts.bytes(Source.REGISTRY, Content.ZTOCS, position - before);
      }
    }
    if (!digest.matches(bytes)) {
      throw new BrokenZtocException(
          "the registry has other bytes, or more of them, for zTOC "
              + digest
              + " than the "
              + size
              + " that the index says");
    }
    return bytes;
  }
}
