package dev.socifleet.node.images;

import dev.socifleet.sociindex.SociIndex;
import java.time.Duration;
import java.util.Set;

/**
 * What is read lazily.
 *
 * @param mountTimeout how long a pull waits for its image's layers, all together
 * @param minLayerSize layers with fewer compressed bytes are left to containerd
 * @param maxZtocSize a larger zTOC isn't read; zTOCs in memory at a time are that many bytes at
 *     most
 * @param versions the kinds of index that are looked for
 */
public record ImageRules(
    Duration mountTimeout, long minLayerSize, long maxZtocSize, Set<SociIndex.Version> versions) {
  public ImageRules {
    versions = Set.copyOf(versions);
    if (maxZtocSize < 1 || maxZtocSize > Integer.MAX_VALUE - 64) {
      throw new IllegalArgumentException("zTOCs of at most " + maxZtocSize + " bytes");
    }
  }
}
