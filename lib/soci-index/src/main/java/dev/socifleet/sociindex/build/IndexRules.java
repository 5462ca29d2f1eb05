package dev.socifleet.sociindex.build;

import dev.socifleet.sociindex.SociTerms;
import java.util.List;

/**
 * How indexes are built.
 *
 * @param spanSize bytes of uncompressed data in a span, at least 1
 * @param minLayerSize layers of fewer bytes get no zTOC
 * @param markXattrs whether a zTOC's entry says so where no file of the layer has extended
 *     attributes
 * @param force builds zTOCs though they are there
 * @param prefetch paths of files that are wanted first
 */
public record IndexRules(
    long spanSize, long minLayerSize, boolean markXattrs, boolean force, List<String> prefetch) {
  public static final IndexRules STANDARD =
      new IndexRules(
          SociTerms.DEFAULT_SPAN_SIZE,
          SociTerms.DEFAULT_MIN_LAYER_SIZE,
          /* markXattrs= */ false,
          /* force= */ false,
          List.of());

  public IndexRules {
    if (spanSize < 1) {
      throw new IllegalArgumentException("span size must be at least 1, not " + spanSize);
    }
    if (minLayerSize < 0) {
      throw new IllegalArgumentException("min layer size must be >= 0, not " + minLayerSize);
    }
    prefetch = List.copyOf(prefetch);
  }
}
