package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.util.Optional;

/** Where zTOCs and prefetch artifacts are kept. Thread-safe. */
public interface ZtocStore {
  /**
   * A zTOC that is there.
   *
   * @param size of the blob, in bytes
   */
  record Known(Digest ztoc, long size) {}

  /** The zTOC of a layer at this span size that an earlier build left there. */
  Optional<Known> find(Digest layer, long spanSize) throws IOException;

  /** Keeps a zTOC that was just built. */
  void putZtoc(Digest layer, long spanSize, Digest ztoc, byte[] bytes) throws IOException;

  /** Keeps a prefetch artifact. */
  void putPrefetch(Digest layer, Digest artifact, byte[] bytes) throws IOException;

  /** The bytes of a zTOC that was found or kept. */
  byte[] read(Known ztoc) throws IOException;
}
