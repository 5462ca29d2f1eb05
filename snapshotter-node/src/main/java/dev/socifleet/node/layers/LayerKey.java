package dev.socifleet.node.layers;

import dev.socifleet.oci.Digest;

/**
 * The identity of a lazy layer on this node: the layer's blob and the zTOC by which it is read,
 * never one alone.
 */
public record LayerKey(Digest layer, Digest ztoc) {
  @Override
  public String toString() {
    return layer + "+" + ztoc;
  }
}
