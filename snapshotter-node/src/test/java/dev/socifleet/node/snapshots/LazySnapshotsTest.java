package dev.socifleet.node.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.containerd.types.Mount;
import dev.socifleet.node.layers.DirectoryLayers;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of layers that are lazy. */
class LazySnapshotsTest {
  @TempDir Path root;

  @Test
  void aLayerThatAnImageHasTwiceIsOneLowerDirectory() throws Exception {
    DirectoryLayers layers = new DirectoryLayers(root.resolve("layers"));
    LayerKey twice = add(layers, "twice");
    LayerKey between = add(layers, "between");
    try (SnapshotServiceRig rig =
        new SnapshotServiceRig(
            root,
            layers,
            layer -> true,
            (namespace, labels) ->
                new LayerSource.Decision.Lazy(
                    labels.getOrDefault(Labels.LAYER, "").equals("between") ? between : twice))) {
      String parent = prepareLazy(rig, "c1", "", "twice");
      parent = prepareLazy(rig, "c2", parent, "between");
      parent = prepareLazy(rig, "c3", parent, "twice");

      Mount mount = rig.prepare("container", parent);

      // overlayfs refuses a directory that is there twice; of two equal ones the nearer is enough.
      assertThat(mount.getOptionsList())
          .contains("lowerdir=" + layers.find(twice).get() + ":" + layers.find(between).get());
    }
  }

  private static String prepareLazy(
      SnapshotServiceRig rig, String target, String parent, String layer) {
    assertThatThrownBy(() ->
            rig.prepare(
                "extract " + target, parent, Map.of(Labels.TARGET, target, Labels.LAYER, layer)))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("ALREADY_EXISTS");
    return rig.list("labels.\"containerd.io/snapshot.ref\"==" + target).getFirst().getName();
  }

  private static LayerKey add(DirectoryLayers layers, String name) throws Exception {
    byte[] ztoc = ("zTOC of " + name).getBytes(StandardCharsets.UTF_8);
    LayerKey key = new LayerKey(Digest.of(name.getBytes(StandardCharsets.UTF_8)), Digest.of(ztoc));
    layers.announce(key.layer(), directory -> {});
    var _ = layers.add(key, ztoc, new RepositoryName("registry.test", "app"));
    return key;
  }
}
