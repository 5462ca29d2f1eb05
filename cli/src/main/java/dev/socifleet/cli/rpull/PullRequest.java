package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import java.util.List;
import java.util.Optional;

/**
 * What to pull, and where to.
 *
 * @param chosen the platforms that the user asked for; where there is none it is this machine's
 * @param all every platform that the image has, whatever was chosen
 * @param index an explicit SOCI index; else the snapshotter looks for one
 * @param snapshotter its name in containerd's configuration
 */
record PullRequest(
    ImageReference image,
    List<Platform> chosen,
    boolean all,
    Optional<Digest> index,
    String namespace,
    String snapshotter) {
  PullRequest {
    chosen = List.copyOf(chosen);
  }

  /** The name that the image gets in containerd. */
  String name() {
    return image.toString();
  }

  /** What was asked for, unless it was all. */
  List<Platform> platforms() {
    return chosen.isEmpty() ? List.of(Platforms.host()) : chosen;
  }

  /** Whether the answer may be about several platforms. */
  boolean several() {
    return all || chosen.size() > 1;
  }
}
