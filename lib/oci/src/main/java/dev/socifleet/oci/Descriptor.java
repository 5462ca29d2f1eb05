package dev.socifleet.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one document says of a blob. Absent texts, lists and maps are empty; {@code size} is in
 * bytes.
 *
 * @param data the embedded content as the base64 text that stood in the document, or empty
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    List<String> urls,
    Map<String, String> annotations,
    String data,
    @Nullable Platform platform,
    String artifactType) {
  public Descriptor {
    if (size < 0) {
      throw new IllegalArgumentException(
          "descriptor of " + digest + " has a negative size: " + size);
    }
    urls = List.copyOf(urls);
    annotations = Map.copyOf(annotations);
  }

  public static Descriptor of(String mediaType, Digest digest, long size) {
    return new Descriptor(mediaType, digest, size, List.of(), Map.of(), "", null, "");
  }

  public Descriptor withAnnotations(Map<String, String> newAnnotations) {
    return new Descriptor(
        mediaType, digest, size, urls, newAnnotations, data, platform, artifactType);
  }

  public Descriptor withPlatform(@Nullable Platform newPlatform) {
    return new Descriptor(
        mediaType, digest, size, urls, annotations, data, newPlatform, artifactType);
  }

  public Descriptor withArtifactType(String newArtifactType) {
    return new Descriptor(
        mediaType, digest, size, urls, annotations, data, platform, newArtifactType);
  }

  /**
   * The same entry pointing at other content: what a rewritten manifest leaves of its descriptor.
   * The old content isn't kept in it, nor where it could be had.
   */
  public Descriptor withContent(String newMediaType, Digest newDigest, long newSize) {
    boolean same = newDigest.equals(digest);
    return new Descriptor(
        newMediaType,
        newDigest,
        newSize,
        same ? urls : List.of(),
        annotations,
        same ? data : "",
        platform,
        artifactType);
  }
}
