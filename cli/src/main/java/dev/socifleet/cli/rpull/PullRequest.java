package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import java.util.Optional;

/**
 * What to pull, and where to.
 *
 * @param chosen the platform that the user asked for; else it is this machine's
 * @param index an explicit SOCI index; else the snapshotter looks for one
 * @param snapshotter its name in containerd's configuration
 */
record PullRequest(
    ImageReference image,
    Optional<Platform> chosen,
    Optional<Digest> index,
    String namespace,
    String snapshotter) {
  /** The name that the image gets in containerd. */
  String name() {
    return image.toString();
  }

  Platform platform() {
    return chosen.orElseGet(Platforms::host);
  }
}
