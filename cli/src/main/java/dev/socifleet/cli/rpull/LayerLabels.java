package dev.socifleet.cli.rpull;

import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a remote snapshotter is told of a layer when it shall prepare it: the labels that containerd
 * gives its snapshotters in CRI pulls.
 */
final class LayerLabels {
  // containerd refuses a label whose key and value together are longer (its package labels).
  private static final int LARGEST_LABEL = 4096;

  private LayerLabels() {}

  static boolean fits(String key, String value) {
    return key.getBytes(StandardCharsets.UTF_8).length
            + value.getBytes(StandardCharsets.UTF_8).length
        <= LARGEST_LABEL;
  }

  /**
   * The labels of one layer.
   *
   * @param index the explicit SOCI index, if the user named one
   */
  static Map<String, String> of(
      String imageName,
      Digest manifest,
      List<ImageLayer> layers,
      int number,
      Optional<Digest> index) {
    ImageLayer layer = layers.get(number);
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(Labels.TARGET, layer.chainId());
    labels.put(Labels.IMAGE, imageName);
    labels.put(Labels.MANIFEST, manifest.toString());
    labels.put(Labels.LAYER, layer.blob().digest().toString());
    labels.put(Labels.LAYERS, following(layers.subList(number, layers.size())));
    index.ifPresent(digest -> labels.put(Labels.INDEX, digest.toString()));
    return labels;
  }

  /** This layer and those above it, as many as fit. */
  private static String following(List<ImageLayer> layers) {
    String joined = "";
    for (ImageLayer layer : layers) {
      String longer = (joined.isEmpty() ? "" : joined + ",") + layer.blob().digest();
      if (!fits(Labels.LAYERS, longer)) {
        break;
      }
      joined = longer;
    }
    return joined;
  }
}
