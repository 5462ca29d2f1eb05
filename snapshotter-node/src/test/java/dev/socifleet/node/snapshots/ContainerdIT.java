package dev.socifleet.node.snapshots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.MadeImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our snapshots service as a proxy plugin of a real containerd. Needs root, containerd, runc. */
class ContainerdIT {
  @TempDir Path root;
  private SnapshotServiceRig rig;
  private ContainerdProcess containerd;

  @BeforeEach
  void start() throws Exception {
    rig =
        new SnapshotServiceRig(
            root.resolve("node"),
            (namespace, labels) -> new LayerSource.Decision.LeftToContainerd());
    containerd = ContainerdProcess.start(root.resolve("c"), Map.of("soci", rig.server.socket()));
  }

  @AfterEach
  void stop() {
    containerd.close();
    rig.close();
  }

  @Test
  void containerdTakesUsAsASnapshotter() throws Exception {
    containerd.ctr("snapshots", "--snapshotter", "soci", "prepare", "one").success();
    containerd.ctr("snapshots", "--snapshotter", "soci", "commit", "One", "one").success();
    containerd.ctr("snapshots", "--snapshotter", "soci", "prepare", "two", "One").success();

    assertThat(containerd.ctr("snapshots", "--snapshotter", "soci", "ls").success())
        .contains("One")
        .contains("two")
        .contains("Committed")
        .contains("Active");
    assertThat(rig.list()).hasSize(2).allMatch(info -> info.getName().startsWith("default/"));
    assertThat(
            containerd.ctr("snapshots", "--snapshotter", "soci", "mounts", "/m", "two").success())
        .contains("overlay");
  }

  @Test
  void anImageWithoutIndexIsUnpackedByContainerdAndRuns() throws Exception {
    MadeImage image = image();
    image.writeArchive(root.resolve("image.tar"), "test.example/app:1");

    containerd
        .ctr("images", "import", "--snapshotter", "soci", root.resolve("image.tar").toString())
        .success();
    assertThat(rig.list("kind==committed"))
        .extracting(info -> info.getName().substring(info.getName().lastIndexOf('/') + 1))
        .containsExactlyInAnyOrder(image.chainId(0).toString(), image.chainId(1).toString());

    String printed =
        containerd
            .ctr("run", "--rm", "--snapshotter", "soci", "test.example/app:1", "c1")
            .success();
    assertThat(printed).isEqualTo("hello from the second layer\n");
  }

  private MadeImage image() throws Exception {
    Path base = Files.createDirectories(root.resolve("base"));
    MadeImage.copyProgram(Path.of("/usr/bin/cat"), base);
    Files.createDirectory(base.resolve("etc"));
    Files.writeString(base.resolve("etc/greeting"), "hello from the first layer\n");
    Path top = Files.createDirectories(root.resolve("top/etc"));
    Files.writeString(top.resolve("greeting"), "hello from the second layer\n");
    return MadeImage.of(
        List.of(base, root.resolve("top")), List.of("/usr/bin/cat", "/etc/greeting"));
  }
}
