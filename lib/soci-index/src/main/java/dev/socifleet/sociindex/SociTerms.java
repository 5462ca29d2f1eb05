package dev.socifleet.sociindex;

import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;

/** The media types, annotations and defaults by which SOCI's tools know each other. */
public final class SociTerms {
  public static final String V1_TYPE = "application/vnd.amazon.soci.index.v1+json";
  public static final String V2_TYPE = "application/vnd.amazon.soci.index.v2+json";
  public static final String ZTOC_TYPE = "application/octet-stream";
  public static final String PREFETCH_TYPE = "application/vnd.amazon.soci.prefetch.v1+json";

  /** On the index manifest: what built the zTOCs. */
  public static final String BUILD_TOOL_KEY = "com.amazon.soci.build-tool-identifier";

  /** On a zTOC's descriptor: the layer it belongs to. */
  public static final String LAYER_DIGEST_KEY = "com.amazon.soci.image-layer-digest";

  public static final String LAYER_TYPE_KEY = "com.amazon.soci.image-layer-mediaType";
  public static final String SPAN_SIZE_KEY = "com.amazon.soci.span-size";

  /** On a zTOC's descriptor: "true" where no file of the layer has extended attributes. */
  public static final String DISABLE_XATTRS_KEY = "com.amazon.soci.disable-xattrs";

  /** On the v2 index's descriptor in an image index: the converted manifest it belongs to. */
  public static final String MANIFEST_DIGEST_KEY = "com.amazon.soci.image-manifest-digest";

  /** On a converted manifest and its descriptor: its v2 index. */
  public static final String INDEX_DIGEST_KEY = "com.amazon.soci.index-digest";

  /** Part of every zTOC's and index's digest: with another text nothing would be comparable. */
  public static final String BUILD_TOOL = "AWS SOCI CLI v0.2";

  public static final long DEFAULT_SPAN_SIZE = 4L << 20;
  public static final long DEFAULT_MIN_LAYER_SIZE = 10L << 20;

  private static final byte[] EMPTY_CONFIG = "{}".getBytes(StandardCharsets.UTF_8);

  private SociTerms() {}

  /** The config blob of every index: an empty object. */
  public static byte[] emptyConfig() {
    return EMPTY_CONFIG.clone();
  }

  public static Digest emptyConfigDigest() {
    return Digest.of(EMPTY_CONFIG);
  }

  /** Whether this media type names one of our indexes, as a config or as an artifact type. */
  public static boolean isIndexType(String mediaType) {
    return mediaType.equals(V1_TYPE) || mediaType.equals(V2_TYPE);
  }
}
