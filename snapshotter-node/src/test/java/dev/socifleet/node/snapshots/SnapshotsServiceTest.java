package dev.socifleet.node.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.FieldMask;
import dev.socifleet.containerd.snapshots.v1.CleanupRequest;
import dev.socifleet.containerd.snapshots.v1.CommitSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.Info;
import dev.socifleet.containerd.snapshots.v1.Kind;
import dev.socifleet.containerd.snapshots.v1.MountsRequest;
import dev.socifleet.containerd.snapshots.v1.UpdateSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.UsageRequest;
import dev.socifleet.containerd.types.Mount;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cases of containerd's own suite for snapshotters that need no mount, and our own. */
class SnapshotsServiceTest {
  @TempDir Path root;
  private SnapshotServiceRig rig;

  @BeforeEach
  void start() throws IOException {
    rig =
        new SnapshotServiceRig(
            root, (namespace, labels) -> new LayerSource.Decision.LeftToContainerd());
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void theFirstSnapshotIsABindMountOfItsDirectory() {
    Mount mount = rig.prepare("a", "");

    assertThat(mount.getType()).isEqualTo("bind");
    assertThat(mount.getSource()).isEqualTo(root.resolve("snapshots/1/fs").toString());
    assertThat(mount.getOptionsList()).containsExactly("rw", "rbind");
    assertThat(Path.of(mount.getSource())).isDirectory();
    assertThat(rig.stat("a").getKind()).isEqualTo(Kind.ACTIVE);
  }

  @Test
  void aSnapshotOnTopOfOthersIsAnOverlayNearestFirst() {
    rig.prepare("a", "");
    rig.commit("A", "a");
    rig.prepare("b", "A");
    rig.commit("B", "b");

    Mount mount = rig.prepare("c", "B");

    assertThat(mount.getType()).isEqualTo("overlay");
    assertThat(mount.getSource()).isEqualTo("overlay");
    assertThat(mount.getOptionsList().stream().filter(option -> !option.equals("index=off")))
        .containsExactly(
            "workdir=" + root.resolve("snapshots/3/work"),
            "upperdir=" + root.resolve("snapshots/3/fs"),
            "lowerdir=" + root.resolve("snapshots/2/fs") + ":" + root.resolve("snapshots/1/fs"));
    assertThat(rig.calls.mounts(MountsRequest.newBuilder().setKey("c").build()).getMountsList())
        .containsExactly(mount);
  }

  @Test
  void aViewOfOneLayerIsItsReadOnlyBind() {
    rig.prepare("a", "");
    rig.commit("A", "a");

    Mount mount = rig.view("v", "A");

    assertThat(mount.getType()).isEqualTo("bind");
    assertThat(mount.getSource()).isEqualTo(root.resolve("snapshots/1/fs").toString());
    assertThat(mount.getOptionsList()).containsExactly("ro", "rbind");
    assertThat(rig.stat("v").getKind()).isEqualTo(Kind.VIEW);
  }

  @Test
  void aViewOfSeveralLayersIsAnOverlayWithoutUpper() {
    rig.prepare("a", "");
    rig.commit("A", "a");
    rig.prepare("b", "A");
    rig.commit("B", "b");

    Mount mount = rig.view("v", "B");

    assertThat(mount.getType()).isEqualTo("overlay");
    assertThat(mount.getOptionsList())
        .noneMatch(option -> option.startsWith("upperdir") || option.startsWith("workdir"));
  }

  @Test
  void aViewWithoutParentIsAnEmptyReadOnlyBind() {
    assertThat(rig.view("v", "").getOptionsList()).containsExactly("ro", "rbind");
  }

  @Test
  void aViewIsNotCommitted() {
    rig.view("v", "");

    fails(Status.Code.FAILED_PRECONDITION, () -> rig.commit("V", "v"));
  }

  @Test
  void onlyACommittedSnapshotIsAParent() {
    rig.prepare("a", "");

    fails(Status.Code.INVALID_ARGUMENT, () -> rig.prepare("b", "a"));
    fails(Status.Code.NOT_FOUND, () -> rig.prepare("b", "none"));
    assertThat(rig.list()).hasSize(1);
  }

  @Test
  void aNameIsTakenOnce() {
    rig.prepare("a", "");
    rig.prepare("b", "");
    rig.commit("A", "a");

    fails(Status.Code.ALREADY_EXISTS, () -> rig.prepare("b", ""));
    fails(Status.Code.ALREADY_EXISTS, () -> rig.view("A", ""));
    fails(Status.Code.ALREADY_EXISTS, () -> rig.commit("A", "b"));
    fails(Status.Code.INVALID_ARGUMENT, () -> rig.prepare("", ""));
  }

  @Test
  void whatIsCommittedIsNoLongerActive() {
    rig.prepare("a", "");
    rig.commit("A", "a");

    fails(Status.Code.NOT_FOUND, () -> rig.stat("a"));
    fails(Status.Code.NOT_FOUND, () -> rig.commit("B", "a"));
    fails(
        Status.Code.FAILED_PRECONDITION,
        () -> rig.calls.mounts(MountsRequest.newBuilder().setKey("A").build()));
    assertThat(rig.stat("A").getKind()).isEqualTo(Kind.COMMITTED);
  }

  @Test
  void aSnapshotWithChildrenStays() {
    rig.prepare("a", "");
    rig.commit("A", "a");
    rig.prepare("b", "A");

    fails(Status.Code.FAILED_PRECONDITION, () -> rig.remove("A"));
    rig.remove("b");
    rig.remove("A");
    assertThat(rig.list()).isEmpty();
  }

  @Test
  void removingWhatIsNotThereIsNotFound() {
    fails(Status.Code.NOT_FOUND, () -> rig.remove("none"));
    fails(Status.Code.NOT_FOUND, () -> rig.stat("none"));
    fails(
        Status.Code.NOT_FOUND,
        () -> rig.calls.usage(UsageRequest.newBuilder().setKey("none").build()));
  }

  @Test
  void cleanupDeletesDirectoriesThatNoSnapshotHas() throws IOException {
    rig.prepare("a", "");
    Files.createDirectories(root.resolve("snapshots/77/fs/deep"));
    Files.writeString(root.resolve("snapshots/77/fs/deep/file"), "left");
    Files.createDirectories(root.resolve("snapshots/new-78/fs"));

    var _ = rig.calls.cleanup(CleanupRequest.getDefaultInstance());

    try (var left = Files.list(root.resolve("snapshots"))) {
      assertThat(left).containsExactly(root.resolve("snapshots/1"));
    }
  }

  @Test
  void theUpperRootHasOwnerAndModeOfTheParentsRoot() throws IOException {
    Path lower = Path.of(rig.prepare("a", "").getSource());
    Files.setAttribute(lower, "unix:mode", 01777);
    boolean isRoot = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    if (isRoot) {
      Files.setAttribute(lower, "unix:uid", 123);
      Files.setAttribute(lower, "unix:gid", 456);
    }
    rig.commit("A", "a");

    rig.prepare("b", "A");

    Map<String, Object> made =
        Files.readAttributes(
            root.resolve("snapshots/2/fs"), "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
    assertThat(made.get("mode"))
        .isInstanceOfSatisfying(Integer.class, mode -> assertThat(mode & 07777).isEqualTo(01777));
    if (isRoot) {
      assertThat(made).containsEntry("uid", 123).containsEntry("gid", 456);
    }
  }

  @Test
  void usageCountsLinkedFilesOnce() throws IOException {
    Path fs = Path.of(rig.prepare("a", "").getSource());
    Files.write(fs.resolve("file"), new byte[5000]);
    Files.createLink(fs.resolve("same"), fs.resolve("file"));
    Files.createSymbolicLink(fs.resolve("link"), Path.of("file"));

    var usage = rig.calls.usage(UsageRequest.newBuilder().setKey("a").build());

    assertThat(usage.getSize()).isEqualTo(4096 + 8192);
    assertThat(usage.getInodes()).isEqualTo(3);
    rig.commit("A", "a");
    Files.delete(fs.resolve("file"));
    assertThat(rig.calls.usage(UsageRequest.newBuilder().setKey("A").build())).isEqualTo(usage);
  }

  @Test
  void labelsAreReplacedWholeOrOneByOne() {
    rig.prepare("a", "", Map.of("x", "1", "y", "2"));

    Info one = update("a", Map.of("x", "9", "z", "3"), "labels.x", "labels.y");
    assertThat(one.getLabelsMap()).isEqualTo(Map.of("x", "9"));
    Info dotted = update("a", Map.of("a.b/c", "4"), "labels.a.b/c");
    assertThat(dotted.getLabelsMap()).isEqualTo(Map.of("x", "9", "a.b/c", "4"));
    Info all = update("a", Map.of("n", "5"), "labels");
    assertThat(all.getLabelsMap()).isEqualTo(Map.of("n", "5"));
    assertThat(update("a", Map.of()).getLabelsMap()).isEmpty();
    assertThat(rig.stat("a").getLabelsMap()).isEmpty();
    assertThat(rig.stat("a").getUpdatedAt()).isNotEqualTo(rig.stat("a").getCreatedAt());
  }

  @Test
  void onlyLabelsCanBeUpdated() {
    rig.prepare("a", "");

    fails(Status.Code.INVALID_ARGUMENT, () -> update("a", Map.of(), "parent"));
    fails(Status.Code.NOT_FOUND, () -> update("none", Map.of(), "labels"));
  }

  @Test
  void commitReplacesLabelsButKeepsTheTarget() {
    rig.prepare("a", "", Map.of(Labels.TARGET, "sha256:t", "x", "1"));
    var _ =
        rig.calls.commit(
            CommitSnapshotRequest.newBuilder()
                .setKey("a")
                .setName("A")
                .putLabels("y", "2")
                .build());

    assertThat(rig.stat("A").getLabelsMap()).isEqualTo(Map.of(Labels.TARGET, "sha256:t", "y", "2"));
  }

  @Test
  void listFiltersAsContainerdAsks() {
    rig.prepare("ns/1/a", "", Map.of(Labels.TARGET, "sha256:1"));
    rig.commit("ns/1/A", "ns/1/a");
    rig.prepare("ns/2/b", "ns/1/A");

    assertThat(rig.list("labels.\"containerd.io/snapshot.ref\"==sha256:1,parent==\"\""))
        .extracting(Info::getName)
        .containsExactly("ns/1/A");
    assertThat(rig.list("parent==\"ns/1/A\"")).extracting(Info::getName).containsExactly("ns/2/b");
    assertThat(rig.list("kind==active", "name==ns/1/A")).hasSize(2);
    assertThat(rig.list()).hasSize(2);
    fails(Status.Code.INVALID_ARGUMENT, () -> rig.list("name=="));
  }

  @Test
  void moreThanAHundredSnapshotsAreListed() {
    for (int i = 0; i < 205; i++) {
      rig.prepare("k" + i, "");
    }

    assertThat(rig.list()).extracting(Info::getName).doesNotHaveDuplicates().hasSize(205);
  }

  @Test
  void theOptionsOf128LayersFitOnePageAsContainerdWritesThem() {
    String parent = "";
    for (int i = 1; i <= 128; i++) {
      rig.prepare("a" + i, parent);
      parent = "A" + i;
      rig.commit(parent, "a" + i);
    }

    Mount mount = rig.prepare("top", parent);

    // containerd makes the lower directories relative to their common parent (mount_linux.go).
    List<String> options = mount.getOptionsList();
    String joined = String.join(",", options).replace(root + "/snapshots/", "");
    assertThat(joined).contains("128/fs:127/fs").hasSizeLessThan(4096 - 512);
  }

  private Info update(String name, Map<String, String> labels, String... paths) {
    return rig.calls
        .update(
            UpdateSnapshotRequest.newBuilder()
                .setInfo(Info.newBuilder().setName(name).putAllLabels(labels))
                .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)))
                .build())
        .getInfo();
  }

  private static void fails(Status.Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code));
  }
}
