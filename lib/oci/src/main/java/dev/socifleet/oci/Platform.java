package dev.socifleet.oci;

import java.util.List;

/**
 * The platform of an image, as an index entry or an image config says it. Absent texts are empty.
 *
 * @see <a href="https://github.com/opencontainers/image-spec/blob/main/image-index.md">OCI image
 *     index, "platform"</a>
 */
public record Platform(
    String architecture, String os, String osVersion, List<String> osFeatures, String variant) {
  public Platform {
    osFeatures = List.copyOf(osFeatures);
  }

  public static Platform of(String os, String architecture, String variant) {
    return new Platform(architecture, os, "", List.of(), variant);
  }
}
