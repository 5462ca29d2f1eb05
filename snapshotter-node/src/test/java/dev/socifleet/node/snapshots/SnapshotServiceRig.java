package dev.socifleet.node.snapshots;

import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.UnixSocketServer;
import dev.socifleet.containerd.snapshots.v1.CommitSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.Info;
import dev.socifleet.containerd.snapshots.v1.ListSnapshotsRequest;
import dev.socifleet.containerd.snapshots.v1.PrepareSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.RemoveSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.SnapshotsGrpc;
import dev.socifleet.containerd.snapshots.v1.StatSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.ViewSnapshotRequest;
import dev.socifleet.containerd.types.Mount;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.layers.DirectoryLayers;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The snapshots service on a socket of its own, with a client that says things shortly. */
final class SnapshotServiceRig implements AutoCloseable {
  final Path root;
  final DirectoryLayers layers;
  final NodeDatabase database;
  final UnixSocketServer server;
  final ContainerdChannel channel;
  final SnapshotsGrpc.SnapshotsBlockingStub calls;

  SnapshotServiceRig(Path root, LayerSource source) throws IOException {
    this(root, new DirectoryLayers(root.resolve("layers")), layer -> false, source);
  }

  SnapshotServiceRig(Path root, DirectoryLayers layers, LayerPins pins, LayerSource source)
      throws IOException {
    this.root = root;
    this.layers = layers;
    this.database = NodeDatabase.open(root.resolve("db"));
    Snapshotter snapshotter =
        new Snapshotter(SnapshotStore.open(database), root, layers, pins, source);
    this.server =
        UnixSocketServer.start(
            root.resolve("s"), List.of(new SnapshotsService(snapshotter, new Metrics())));
    this.channel = ContainerdChannel.open(server.socket());
    this.calls = SnapshotsGrpc.newBlockingStub(channel.plain());
  }

  Mount prepare(String key, String parent) {
    return prepare(key, parent, Map.of());
  }

  Mount prepare(String key, String parent, Map<String, String> labels) {
    return calls
        .prepare(
            PrepareSnapshotRequest.newBuilder()
                .setKey(key)
                .setParent(parent)
                .putAllLabels(labels)
                .build())
        .getMounts(0);
  }

  Mount view(String key, String parent) {
    return calls
        .view(ViewSnapshotRequest.newBuilder().setKey(key).setParent(parent).build())
        .getMounts(0);
  }

  void commit(String name, String key) {
    var _ = calls.commit(CommitSnapshotRequest.newBuilder().setName(name).setKey(key).build());
  }

  void remove(String key) {
    var _ = calls.remove(RemoveSnapshotRequest.newBuilder().setKey(key).build());
  }

  Info stat(String key) {
    return calls.stat(StatSnapshotRequest.newBuilder().setKey(key).build()).getInfo();
  }

  List<Info> list(String... filters) {
    List<Info> all = new ArrayList<>();
    calls
        .list(ListSnapshotsRequest.newBuilder().addAllFilters(List.of(filters)).build())
        .forEachRemaining(batch -> all.addAll(batch.getInfoList()));
    return all;
  }

  @Override
  public void close() {
    channel.close();
    server.close();
    database.close();
  }
}
