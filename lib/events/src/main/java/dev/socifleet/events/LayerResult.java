package dev.socifleet.events;

import dev.socifleet.oci.Digest;

/** What became of one layer. */
public sealed interface LayerResult {
  /**
   * Its zTOC was built and is in the repository.
   *
   * @param ztocSizeBytes the size of the zTOC blob
   * @param millis how long download, inflate and index took
   * @param uncompressedBytes what the layer inflates to, for its speed
   */
  record Indexed(Digest ztoc, long ztocSizeBytes, long millis, long uncompressedBytes)
      implements LayerResult {}

  /** A zTOC built before, here or elsewhere in the fleet, is in the repository. */
  record Reused(Digest ztoc, long ztocSizeBytes) implements LayerResult {}

  /** Not lazily loadable, for good: too small, not a tar, damaged. */
  record Skipped(String reason) implements LayerResult {}

  /** Given up after every permitted attempt. */
  record Failed(String reason) implements LayerResult {}
}
