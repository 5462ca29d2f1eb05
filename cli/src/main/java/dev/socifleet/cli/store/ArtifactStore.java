package dev.socifleet.cli.store;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Where zTOCs, prefetch artifacts and indexes are kept. Thread-safe. */
public interface ArtifactStore {
  /** Bytes of a blob, or empty when there is none. */
  OptionalLong size(Digest blob) throws IOException;

  /** When a blob came here; now, where that isn't known. */
  Instant created(Digest blob) throws IOException;

  /**
   * The bytes of a blob.
   *
   * @param most how many it may have
   * @throws IOException where there is none, or it is larger, or damaged
   */
  byte[] read(Digest blob, int most) throws IOException;

  /**
   * Keeps a blob.
   *
   * @param references labels by which a garbage collector knows what it refers to
   */
  void put(Digest blob, byte[] bytes, Map<String, String> references) throws IOException;

  /** Removes a blob; false when there was none. */
  boolean delete(Digest blob) throws IOException;

  /** Every blob that may be an artifact, and others. */
  List<Digest> list() throws IOException;
}
