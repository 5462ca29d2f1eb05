package dev.socifleet.cli.rpull;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LayerLabelsTest {
  private static final Digest MANIFEST = digest("manifest");

  private static Digest digest(String text) {
    return Digest.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<ImageLayer> layers(int count, Map<String, String> annotations) {
    List<Descriptor> blobs = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      blobs.add(
          Descriptor.of(MediaTypes.OCI_LAYER_GZIP, digest("blob" + i), 1_000L + i)
              .withAnnotations(annotations));
      diffIds.add(digest("diff" + i));
    }
    return ImageLayer.chain(blobs, diffIds);
  }

  private static Map<String, String> labels(List<ImageLayer> layers, int number) {
    return LayerLabels.of("r.example/app:1", MANIFEST, layers, number, Optional.empty());
  }

  @Test
  void aLayerIsNamedWithItsImageAndThoseAboveIt() {
    List<ImageLayer> layers = layers(3, Map.of());

    assertThat(labels(layers, 1))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "containerd.io/snapshot.ref",
                digest(digest("diff0") + " " + digest("diff1")).toString(),
                "containerd.io/snapshot/cri.image-ref",
                "r.example/app:1",
                "containerd.io/snapshot/cri.manifest-digest",
                MANIFEST.toString(),
                "containerd.io/snapshot/cri.layer-digest",
                digest("blob1").toString(),
                "containerd.io/snapshot/cri.image-layers",
                digest("blob1") + "," + digest("blob2"),
                "containerd.io/snapshot/remote/soci.size",
                "1001",
                "containerd.io/snapshot/remote/image.layers.size",
                "1001,1002"));
  }

  @Test
  void anExplicitIndexIsHandedOn() {
    assertThat(
            LayerLabels.of(
                "r.example/app:1", MANIFEST, layers(1, Map.of()), 0, Optional.of(digest("index"))))
        .containsEntry(Labels.INDEX, digest("index").toString());
  }

  @Test
  void ofManyLayersAsManyAreNamedAsContainerdTakes() {
    Map<String, String> labels = labels(layers(200, Map.of()), 0);

    String named = labels.getOrDefault(Labels.LAYERS, "");
    assertThat(Labels.LAYERS.length() + named.length()).isBetween(4096 - 72, 4096);
    assertThat(labels.getOrDefault(LayerLabels.SIZES, "").split(",", -1))
        .hasSameSizeAs(named.split(",", -1));
  }

  @Test
  void annotationsForSnapshottersAreHandedOnUnlessTheySayWhatOnlyASnapshotterMay() {
    List<ImageLayer> layers =
        layers(
            1,
            Map.of(
                "containerd.io/snapshot/stargz/toc.digest",
                "sha256:toc",
                "containerd.io/snapshot/cri.image-ref",
                "other.example/app:1",
                Labels.REMOTE,
                Labels.REMOTE_VALUE,
                Labels.INDEX,
                digest("another index").toString(),
                "containerd.io/snapshot/long",
                "x".repeat(4096),
                "org.example.note",
                "x"));

    assertThat(labels(layers, 0))
        .containsEntry("containerd.io/snapshot/stargz/toc.digest", "sha256:toc")
        .containsEntry(Labels.IMAGE, "r.example/app:1")
        .doesNotContainKeys(
            Labels.REMOTE, Labels.INDEX, "containerd.io/snapshot/long", "org.example.note");
  }
}
