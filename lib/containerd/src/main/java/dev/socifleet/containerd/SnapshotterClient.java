package dev.socifleet.containerd;

import dev.socifleet.containerd.snapshots.v1.CommitSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.Info;
import dev.socifleet.containerd.snapshots.v1.PrepareSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.RemoveSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.SnapshotsGrpc;
import dev.socifleet.containerd.snapshots.v1.StatSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.StatSnapshotResponse;
import dev.socifleet.containerd.snapshots.v1.ViewSnapshotRequest;
import dev.socifleet.containerd.types.Mount;
import io.grpc.Channel;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One of containerd's snapshotters, in one namespace. Thread-safe. */
public final class SnapshotterClient {
  // A remote snapshotter asks the registry before it answers.
  private static final Duration PREPARE = Duration.ofMinutes(5);

  private final String snapshotter;
  private final SnapshotsGrpc.SnapshotsBlockingV2Stub snapshots;

  /** What came of a {@link #prepare}. */
  public sealed interface Prepared {
    /** An active snapshot, and how it is mounted. */
    record Active(List<Mount> mounts) implements Prepared {
      public Active {
        mounts = List.copyOf(mounts);
      }
    }

    /** The layer that the labels name is there already, or was made at once. */
    record TargetExists() implements Prepared {}
  }

  /**
   * @param calls in a namespace, under a lease where snapshots are made
   * @param snapshotter its name in containerd's configuration
   */
  public SnapshotterClient(Channel calls, String snapshotter) {
    this.snapshotter = snapshotter;
    this.snapshots = SnapshotsGrpc.newBlockingV2Stub(calls);
  }

  public String name() {
    return snapshotter;
  }

  /** Whether containerd has a snapshotter of this name; it may not answer all the same. */
  public boolean known() throws ContainerdException {
    try {
      var _ = stat("-");
      return true;
    } catch (ContainerdException e) {
      if (e.code() == Status.Code.INVALID_ARGUMENT) {
        return false;
      }
      throw e;
    }
  }

  /** What is known of a snapshot, or empty when there is none of this name. */
  public Optional<Info> stat(String name) throws ContainerdException {
    StatSnapshotRequest request =
        StatSnapshotRequest.newBuilder().setSnapshotter(snapshotter).setKey(name).build();
    return Calls.find(
            "look for snapshot " + name,
            () -> snapshots.withDeadlineAfter(Calls.SOON).stat(request))
        .map(StatSnapshotResponse::getInfo);
  }

  /** Makes an active snapshot on top of a committed one; {@code parent} is empty for none. */
  public Prepared prepare(String key, String parent, Map<String, String> labels)
      throws ContainerdException {
    PrepareSnapshotRequest request =
        PrepareSnapshotRequest.newBuilder()
            .setSnapshotter(snapshotter)
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build();
    try {
      return new Prepared.Active(
          Calls.call(
                  "prepare snapshot " + key,
                  () -> snapshots.withDeadlineAfter(PREPARE).prepare(request))
              .getMountsList());
    } catch (ContainerdException e) {
      if (e.code() == Status.Code.ALREADY_EXISTS) {
        return new Prepared.TargetExists();
      }
      throw e;
    }
  }

  /** Makes a read-only snapshot; fails where a layer below it can't be mounted. */
  public List<Mount> view(String key, String parent) throws ContainerdException {
    ViewSnapshotRequest request =
        ViewSnapshotRequest.newBuilder()
            .setSnapshotter(snapshotter)
            .setKey(key)
            .setParent(parent)
            .build();
    return Calls.call(
            "view snapshot " + parent, () -> snapshots.withDeadlineAfter(PREPARE).view(request))
        .getMountsList();
  }

  /** Makes an active snapshot a committed one; false when one of that name is there already. */
  public boolean commit(String key, String name, Map<String, String> labels)
      throws ContainerdException {
    CommitSnapshotRequest request =
        CommitSnapshotRequest.newBuilder()
            .setSnapshotter(snapshotter)
            .setKey(key)
            .setName(name)
            .putAllLabels(labels)
            .build();
    try {
      var _ =
          Calls.call(
              "commit snapshot " + name,
              () -> snapshots.withDeadlineAfter(PREPARE).commit(request));
      return true;
    } catch (ContainerdException e) {
      if (e.code() == Status.Code.ALREADY_EXISTS) {
        return false;
      }
      throw e;
    }
  }

  /** Removes a snapshot, if it is there; also in an interrupted thread. */
  public void remove(String key) throws ContainerdException {
    RemoveSnapshotRequest request =
        RemoveSnapshotRequest.newBuilder().setSnapshotter(snapshotter).setKey(key).build();
    Calls.uninterrupted(() ->
        Calls.find(
            "remove snapshot " + key,
            () -> snapshots.withDeadlineAfter(Calls.SOON).remove(request)));
  }
}
