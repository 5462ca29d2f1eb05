package dev.socifleet.systemtests;

import dev.socifleet.containerd.UnixSocketServer;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.layers.RootAttributes;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.node.snapshots.LayerSource;
import dev.socifleet.node.snapshots.Snapshot;
import dev.socifleet.node.snapshots.SnapshotStore;
import dev.socifleet.node.snapshots.SnapshotsService;
import dev.socifleet.node.snapshots.Snapshotter;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The node's snapshots service with lazy layers that are plain directories: what containerd and its
 * clients see of the node, without the network and FUSE. A layer is lazy once {@link #serve} was
 * called for it.
 */
final class DirectoryNode implements AutoCloseable {
  private final Map<Digest, Path> served = new ConcurrentHashMap<>();
  private final Map<LayerKey, Path> added = new ConcurrentHashMap<>();
  private final List<Map<String, String>> asked = new CopyOnWriteArrayList<>();
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile CountDownLatch closed = new CountDownLatch(0);
  private final Path root;
  private NodeDatabase database;
  private Snapshotter snapshotter;
  private UnixSocketServer server;

  DirectoryNode(Path root) throws IOException {
    this.root = root;
    database = NodeDatabase.open(root.resolve("db"));
    snapshotter = snapshotter();
    server = listen();
  }

  private Snapshotter snapshotter() throws IOException {
    return new Snapshotter(
        SnapshotStore.open(database), root, new Directories(), layer -> false, this::decide);
  }

  private UnixSocketServer listen() throws IOException {
    return UnixSocketServer.start(
        root.resolve("s"), List.of(new SnapshotsService(snapshotter, new Metrics())));
  }

  /** Starts again without any of its snapshots, as if its root had been deleted. */
  void loseEverything() throws IOException {
    server.close();
    database.close();
    added.clear();
    database = NodeDatabase.open(root.resolve("another-db"));
    snapshotter = snapshotter();
    server = listen();
  }

  Path socket() {
    return server.socket();
  }

  /** From now on this layer is lazy, with the directory's content. */
  void serve(Digest layer, Path directory) {
    served.put(layer, directory);
  }

  /** The labels of each layer that was asked for. */
  List<Map<String, String>> asked() {
    return List.copyOf(asked);
  }

  /** Lets questions for layers wait until the latch is opened. */
  void holdQuestions(CountDownLatch until) {
    closed = until;
  }

  List<Snapshot> snapshots() {
    return snapshotter.list();
  }

  /** All lazy layers are gone, as if the node's state had been deleted. */
  void loseLayers() {
    added.clear();
  }

  private LayerSource.Decision decide(String namespace, Map<String, String> labels) {
    asked.add(Map.copyOf(labels));
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Digest layer = Digest.parse(labels.get(Labels.LAYER));
    Path directory = served.get(layer);
    if (directory == null) {
      return new LayerSource.Decision.LeftToContainerd();
    }
    LayerKey key = new LayerKey(layer, Digest.of("the zTOC".getBytes(StandardCharsets.UTF_8)));
    added.put(key, directory);
    return new LayerSource.Decision.Lazy(key);
  }

  @Override
  public void close() {
    if (!ended.getAndSet(true)) {
      server.close();
      database.close();
    }
  }

  private final class Directories implements LazyLayers {
    @Override
    public Path add(LayerKey key, byte[] ztoc, RepositoryName repository) {
      throw new AssertionError("layers are added by the decision: " + key);
    }

    @Override
    public Optional<Path> find(LayerKey key) {
      return Optional.ofNullable(added.get(key));
    }

    @Override
    public Set<LayerKey> keys() {
      return Set.copyOf(added.keySet());
    }

    @Override
    public Optional<RootAttributes> rootOf(LayerKey key) {
      return Optional.empty();
    }

    @Override
    public void remove(LayerKey key) {
      added.remove(key);
    }

    @Override
    public void close() {}
  }
}
