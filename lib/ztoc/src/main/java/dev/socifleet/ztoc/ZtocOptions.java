package dev.socifleet.ztoc;

/**
 * How to build a zTOC. Span size and build tool are part of its bytes.
 *
 * @param spanSize bytes of uncompressed data after which the next boundary becomes a checkpoint; at
 *     least 1
 * @param buildTool identifier of the tool, stored as text
 * @param maxZtocBytes a layer whose zTOC would be larger is refused; memory while building is about
 *     three times the zTOC's size
 * @param progress told now and then how far it is
 */
public record ZtocOptions(
    long spanSize, String buildTool, long maxZtocBytes, BuildProgress progress) {
  public static final long DEFAULT_SPAN_SIZE = 4194304;

  /** What the existing tool writes; zTOCs are byte-equal only with the same text. */
  public static final String DEFAULT_BUILD_TOOL = "AWS SOCI CLI v0.2";

  /** Room for about 34 GB of layer at the default span size, or for a million files. */
  public static final long DEFAULT_MAX_ZTOC_BYTES = 256L << 20;

  /** Most that one array can hold, with room for the vectors' heads. */
  private static final long MOST_ZTOC_BYTES = Integer.MAX_VALUE - (1L << 20);

  /** Hears of a build while it goes on. */
  @FunctionalInterface
  public interface BuildProgress {
    /**
     * Called in the thread that builds, for each 256 KiB or so; what it throws ends the build.
     *
     * @param compressedBytes of the layer, read so far
     * @param files found so far
     */
    void at(long compressedBytes, int files);
  }

  public ZtocOptions {
    if (spanSize < 1) {
      throw new IllegalArgumentException("span size must be at least 1, not " + spanSize);
    }
    if (maxZtocBytes < 1 || maxZtocBytes > MOST_ZTOC_BYTES) {
      throw new IllegalArgumentException(
          "the largest zTOC must be between 1 and " + MOST_ZTOC_BYTES + ", not " + maxZtocBytes);
    }
  }

  public static ZtocOptions ofSpanSize(long spanSize) {
    return new ZtocOptions(
        spanSize, DEFAULT_BUILD_TOOL, DEFAULT_MAX_ZTOC_BYTES, (bytes, files) -> {});
  }

  public ZtocOptions withProgress(BuildProgress listener) {
    return new ZtocOptions(spanSize, buildTool, maxZtocBytes, listener);
  }

  public ZtocOptions withMaxZtocBytes(long bytes) {
    return new ZtocOptions(spanSize, buildTool, bytes, progress);
  }
}
