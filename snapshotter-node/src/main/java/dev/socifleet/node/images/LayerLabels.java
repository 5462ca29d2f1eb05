package dev.socifleet.node.images;

import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import java.util.Map;

/**
 * The layer that a snapshot's labels name. They are whatever a client of containerd wrote.
 *
 * @param reference the image as the label has it
 */
record LayerLabels(String reference, ImageId image, Digest layer) {
  /**
   * Reads the labels.
   *
   * @throws IllegalArgumentException one is missing or malformed; says which
   */
  static LayerLabels parse(Map<String, String> labels) {
    String reference = required(labels, Labels.IMAGE);
    Digest manifest = digest(labels, Labels.MANIFEST);
    Digest layer = digest(labels, Labels.LAYER);
    Digest index =
        labels.getOrDefault(Labels.INDEX, "").isEmpty() ? null : digest(labels, Labels.INDEX);
    try {
      return new LayerLabels(
          reference,
          new ImageId(ImageReference.parse(reference).repository(), manifest, index),
          layer);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "label " + Labels.IMAGE + " is no image reference: " + e.getMessage(), e);
    }
  }

  private static Digest digest(Map<String, String> labels, String label) {
    try {
      return Digest.parse(required(labels, label));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("label " + label + ": " + e.getMessage(), e);
    }
  }

  private static String required(Map<String, String> labels, String label) {
    String value = labels.getOrDefault(label, "");
    if (value.isEmpty()) {
      throw new IllegalArgumentException(
          "label "
              + label
              + " is missing: does containerd's client send the labels of remote snapshotters?");
    }
    return value;
  }
}
