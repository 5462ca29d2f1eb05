package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.node.snapshots.Snapshot;
import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci rpull} on a real containerd and a real registry; needs root and runc. */
class RpullIT {
  @TempDir Path root;
  private RpullRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new RpullRig(root);
  }

  @AfterEach
  void stop() {
    if (rig != null) {
      rig.close();
    }
  }

  @Test
  void anImageWhoseLayersAreAllLazyRunsWithoutAnyOfThem() throws Exception {
    rig.serve(0, 1, 2);

    String printed = rig.rpull(rig.ref).success();

    assertThat(printed).contains("3 of 3 layers lazy, 0.0 MB of ");
    assertThat(printed.lines()).hasSize(4);
    assertThat(rig.blobs())
        .containsExactlyInAnyOrder(
            rig.image().manifestBlob().digest().toString(),
            rig.image().manifest().config().digest().toString());
    assertThat(rig.leases()).isEmpty();
    assertThat(rig.images()).containsExactly(rig.ref);
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    rig.collectGarbage();
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void theSnapshotterIsToldWhichImageAndLayersItServes() throws Exception {
    rig.serve(0, 2);
    Digest index = Digest.of("an index".getBytes(StandardCharsets.UTF_8));

    rig.rpull("--soci-index-digest", index.toString(), rig.ref).success();

    assertThat(rig.node.asked()).hasSize(3);
    assertThat(rig.node.asked().get(1))
        .containsEntry(Labels.TARGET, rig.image().chainId(1).toString())
        .containsEntry(Labels.IMAGE, rig.ref)
        .containsEntry(Labels.MANIFEST, rig.image().manifestBlob().digest().toString())
        .containsEntry(Labels.LAYER, rig.layer(1).toString())
        .containsEntry(Labels.LAYERS, rig.layer(1) + "," + rig.layer(2))
        .containsEntry(Labels.INDEX, index.toString())
        .containsEntry("containerd.io/snapshot/remote/soci.size", size(1))
        .containsEntry("containerd.io/snapshot/remote/image.layers.size", size(1) + "," + size(2));
  }

  private String size(int layer) {
    return Long.toString(rig.image().manifest().layers().get(layer).size());
  }

  @Test
  void layersThatAreLeftAreUnpackedBetweenLazyOnes() throws Exception {
    rig.serve(0, 2);

    JsonNode result = rig.pulled();

    assertThat(result.findValuesAsText("state")).containsExactly("lazy", "unpacked", "lazy");
    long size = rig.image().manifest().layers().get(1).size();
    assertThat(result.path("downloaded").asLong()).isEqualTo(size);
    assertThat(rig.blobs())
        .contains(rig.layer(1).toString())
        .doesNotContain(rig.layer(0).toString());
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void anImageWithoutLazyLayersIsPulledWhole() throws Exception {
    JsonNode result = rig.pulled();

    assertThat(result.findValuesAsText("state")).containsOnly("unpacked").hasSize(3);
    assertThat(result.path("downloaded").asLong()).isEqualTo(result.path("size").asLong());
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    rig.collectGarbage();
    assertThat(rig.blobs()).hasSize(5);
    assertThat(rig.rpull(rig.ref).success()).contains("no layer is lazy");
  }

  @Test
  void anySnapshotterOfContainerdCanBeUsed() throws Exception {
    rig.pulled("--snapshotter", "native");

    assertThat(rig.run("native", rig.ref).success()).isEqualTo(RpullRig.GREETING);
    assertThat(rig.node.asked()).isEmpty();
  }

  @Test
  void aSecondPullDownloadsNothingAndAsksForNoLayer() throws Exception {
    rig.serve(0);
    rig.pulled();

    JsonNode again = rig.pulled();

    assertThat(again.findValuesAsText("thereBefore")).containsOnly("true").hasSize(3);
    assertThat(again.findValuesAsText("state")).containsExactly("lazy", "unpacked", "unpacked");
    assertThat(again.path("downloaded").asLong()).isZero();
    assertThat(rig.node.asked()).hasSize(3);
    // containerd lets the snapshotter know of a removal when it collects garbage.
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.snapshots().size() == 3);
    assertThat(rig.node.snapshots()).allMatch(s -> s.kind() == Snapshot.Kind.COMMITTED);
    assertThat(rig.leases()).isEmpty();
  }

  @Test
  void theNameMovesToWhatTheTagPointsAtNow() throws Exception {
    rig.serve(0, 1, 2);
    rig.pulled();
    rig.pushAgain("hello again\n");

    assertThat(rig.pulled().path("digest").asText())
        .isEqualTo(rig.image().manifestBlob().digest().toString());
    assertThat(rig.run()).isEqualTo("hello again\n");
    assertThat(rig.images()).containsExactly(rig.ref);
  }

  @Test
  void whenTheImageIsRemovedItsSnapshotsAndBlobsGo() throws Exception {
    rig.serve(0, 2);
    rig.pulled();
    assertThat(rig.snapshots()).hasSize(3);

    rig.containerd.ctr("images", "rm", "--sync", rig.ref).success();

    assertThat(rig.snapshots()).isEmpty();
    assertThat(rig.blobs()).isEmpty();
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.snapshots().isEmpty());
  }

  @Test
  void layersThatTheNodeLostComeBackWithASecondPull() throws Exception {
    rig.serve(0, 1, 2);
    rig.pulled();
    rig.node.loseLayers();
    assertThat(rig.run("soci", rig.ref).err()).contains("pull its image again");

    assertThat(rig.pulled().findValuesAsText("thereBefore")).contains("false");
    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
  }

  @Test
  void aNodeThatLostItsStateIsFilledAgainByASecondPull() throws Exception {
    rig.serve(0, 2);
    rig.pulled();
    rig.node.loseEverything();

    // containerd takes a moment to connect again.
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.rpull(rig.ref).status() == 0);

    assertThat(rig.run()).isEqualTo(RpullRig.GREETING);
    assertThat(rig.leases()).isEmpty();
  }

  @Test
  void theNamespaceMayStandBeforeTheCommand() throws Exception {
    SociCommand.run(
            "-a",
            rig.containerd.socket().toString(),
            "--namespace",
            "other",
            "rpull",
            "-q",
            rig.ref)
        .success();

    assertThat(rig.containerd.ctr("-n", "other", "images", "ls", "-q").success())
        .isEqualTo(rig.ref + "\n");
    assertThat(rig.images()).isEmpty();
  }
}
