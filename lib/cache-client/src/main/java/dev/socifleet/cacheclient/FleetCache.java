package dev.socifleet.cacheclient;

import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The fleet's cache, as nodes and indexers use it. Blocking, thread-safe. A cache that is down,
 * slow or full is a {@link CacheUnavailableException}: the caller goes on without it.
 */
public interface FleetCache extends AutoCloseable {
  /** A span: a range of a blob's compressed bytes and their sha256. */
  record SpanRange(Digest span, ByteRange range) {}

  /**
   * Spans of one blob, in the order asked for, each verified by the cache and again here before
   * {@code sink} sees it.
   *
   * @param registryAuthorization the Authorization header by which the registry lets the caller
   *     pull; empty if none is needed
   * @throws CacheDeniedException the registry would not give these bytes to this caller
   */
  void spans(
      RepositoryName repository,
      Digest blob,
      List<SpanRange> spans,
      Optional<String> registryAuthorization,
      SpanSink sink)
      throws IOException;

  /** Takes verified spans as they arrive. */
  @FunctionalInterface
  interface SpanSink {
    void accept(SpanRange span, byte[] bytes) throws IOException;
  }

  /**
   * The zTOC of (layer, span size), for a caller who may pull from the repository, or empty when
   * the fleet has none.
   */
  Optional<byte[]> ztoc(
      RepositoryName repository,
      Digest layer,
      long spanSizeBytes,
      Optional<String> registryAuthorization)
      throws IOException;

  /** The fleet's zTOC of (layer, span size), for holders of the fleet token: indexers. */
  Optional<byte[]> ztocAsIndexer(Digest layer, long spanSizeBytes) throws IOException;

  /** Stores a zTOC under (layer, span size). Needs the fleet token. */
  void putZtoc(Digest layer, long spanSizeBytes, byte[] ztoc) throws IOException;

  /**
   * Takes or renews the short lease on building (layer, span size). Needs the fleet token.
   *
   * @return false when another holder has it
   */
  boolean lease(Digest layer, long spanSizeBytes, String holder, Duration duration)
      throws IOException;

  /** Gives the lease back; nothing happens when another one holds it. */
  void release(Digest layer, long spanSizeBytes, String holder) throws IOException;

  @Override
  void close();
}
