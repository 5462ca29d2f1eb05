package dev.socifleet.cli.rpull;

import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a remote snapshotter is told of a layer when it shall prepare it: the labels that containerd
 * gives its snapshotters in CRI pulls, those that nerdctl adds for SOCI, and the layer's own
 * annotations that are meant for snapshotters.
 */
final class LayerLabels {
  /** The layer's compressed size in bytes. */
  static final String SIZE = "containerd.io/snapshot/remote/soci.size";

  /** The sizes of the layers in {@link Labels#LAYERS}, as many as there. */
  static final String SIZES = "containerd.io/snapshot/remote/image.layers.size";

  // containerd hands descriptors' annotations with this beginning on to its snapshotters; we don't
  // where they'd say what only a snapshotter may say.
  private static final String FOR_SNAPSHOTTERS = "containerd.io/snapshot/";
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
    layer
        .blob()
        .annotations()
        .forEach((key, value) -> {
          if (key.startsWith(FOR_SNAPSHOTTERS)
              && !key.startsWith(Labels.REMOTE)
              && fits(key, value)) {
            labels.put(key, value);
          }
        });
    labels.put(Labels.TARGET, layer.chainId());
    labels.put(Labels.IMAGE, imageName);
    labels.put(Labels.MANIFEST, manifest.toString());
    labels.put(Labels.LAYER, layer.blob().digest().toString());
    List<ImageLayer> following = following(layers.subList(number, layers.size()));
    labels.put(Labels.LAYERS, joined(following, each -> each.blob().digest()));
    labels.put(SIZE, Long.toString(layer.blob().size()));
    labels.put(SIZES, joined(following, each -> each.blob().size()));
    index.ifPresent(digest -> labels.put(Labels.INDEX, digest.toString()));
    return labels;
  }

  /** This layer and those above it, as many as fit. A digest is longer than any size. */
  private static List<ImageLayer> following(List<ImageLayer> layers) {
    int bytes = Labels.LAYERS.length();
    for (int i = 0; i < layers.size(); i++) {
      bytes += (i == 0 ? 0 : 1) + layers.get(i).blob().digest().toString().length();
      if (bytes > LARGEST_LABEL) {
        return layers.subList(0, i);
      }
    }
    return layers;
  }

  private static String joined(List<ImageLayer> layers, Function<ImageLayer, Object> part) {
    return String.join(",", layers.stream().map(part).map(Object::toString).toList());
  }
}
