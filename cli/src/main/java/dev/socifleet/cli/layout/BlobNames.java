package dev.socifleet.cli.layout;

import dev.socifleet.oci.Digest;
import java.util.Optional;

/** Names of blobs in a layout: {@code blobs/<algorithm>/<hex>}. */
final class BlobNames {
  private BlobNames() {}

  static Optional<Digest> parse(String algorithm, String hex) {
    try {
      return Optional.of(new Digest(algorithm, hex));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // a file that isn't a blob
    }
  }

  /** The digest in a path within a layout; empty for other files. */
  static Optional<Digest> parse(String path) {
    String[] parts = path.split("/", -1);
    return parts.length == 3 && parts[0].equals("blobs")
        ? parse(parts[1], parts[2])
        : Optional.empty();
  }

  static String of(Digest blob) {
    return "blobs/" + blob.algorithm() + "/" + blob.hex();
  }
}
