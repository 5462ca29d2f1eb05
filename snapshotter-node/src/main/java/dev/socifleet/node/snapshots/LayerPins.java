package dev.socifleet.node.snapshots;

import dev.socifleet.node.layers.LayerKey;

/** Says which layers have to stay though no snapshot uses them: mounts and pulls in progress. */
@FunctionalInterface
public interface LayerPins {
  boolean holds(LayerKey layer);
}
