package dev.socifleet.node.snapshots;

import dev.socifleet.node.layers.LayerKey;
import java.util.Map;

/**
 * Decides how the content of a layer that containerd wants comes to this node. Implemented by the
 * images package; a snapshotter without one leaves every layer to containerd.
 */
@FunctionalInterface
public interface LayerSource {
  /** How a layer comes to the node. */
  sealed interface Decision {
    /** It is a directory on the node's mount now. */
    record Lazy(LayerKey layer) implements Decision {}

    /** containerd downloads and unpacks it; the reason is remembered by who decided. */
    record LeftToContainerd() implements Decision {}
  }

  /**
   * Decides; blocks at most as long as a pull may wait for it, and never fails.
   *
   * @param namespace containerd's namespace of the pull
   * @param labels the snapshot's, of which {@code containerd.io/snapshot/cri.*} name the image
   */
  Decision decide(String namespace, Map<String, String> labels);
}
