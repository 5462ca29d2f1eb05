package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.Platform;
import org.jspecify.annotations.Nullable;

/** What the entries of an image index are. */
final class ImageEntries {
  /** On an attestation's entry: the manifest that it is about (BuildKit). */
  static final String REFERENCE_DIGEST = "vnd.docker.reference.digest";

  /** How deep indexes in indexes are followed. */
  static final int DEEPEST_INDEX = 4;

  private ImageEntries() {}

  /** Neither an attestation, nor a SOCI index or another artifact. */
  static boolean isPlain(Descriptor entry) {
    return !isUnknown(entry.platform())
        && entry.artifactType().isEmpty()
        && !entry.annotations().containsKey(REFERENCE_DIGEST);
  }

  /** Whether an entry is an image manifest. */
  static boolean isImage(Descriptor entry) {
    return MediaTypes.isManifest(entry.mediaType()) && isPlain(entry);
  }

  /** Whether a manifest's config is an image's. */
  static boolean isImageConfig(Descriptor config) {
    return config.mediaType().equals(MediaTypes.OCI_CONFIG)
        || config.mediaType().equals(MediaTypes.DOCKER_CONFIG);
  }

  private static boolean isUnknown(@Nullable Platform platform) {
    return platform != null
        && (platform.os().equals("unknown") || platform.architecture().equals("unknown"));
  }
}
