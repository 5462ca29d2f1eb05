package dev.socifleet.node;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.containerd.UnixSocketServer;
import dev.socifleet.node.control.ControlApi;
import dev.socifleet.node.control.ControlServer;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.FleetBytes;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.images.Decisions;
import dev.socifleet.node.images.ImageLayers;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.mounts.MountedImages;
import dev.socifleet.node.snapshots.SnapshotStore;
import dev.socifleet.node.snapshots.SnapshotsService;
import dev.socifleet.node.snapshots.Snapshotter;
import dev.socifleet.service.AdminServer;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Parts;
import dev.socifleet.service.Readiness;
import dev.socifleet.service.ServiceMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node: containerd's snapshotter, its lazy file system, and the control API, on one machine's
 * {@code root}. It needs neither registry nor cache to start.
 *
 * <pre>
 * root/            0700 where the node makes it
 *   db/            snapshots, mounts, layers: RocksDB, which only one node can open
 *   layers/        node tables and spans of lazy layers
 *   snapshots/
 *     l/           the FUSE mount: a directory a lazy layer
 *     u/           layers unpacked for soci mount
 *     17/          containerd's snapshots that have a directory of their own
 *   control.sock
 * </pre>
 */
public final class SnapshotterNode implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SnapshotterNode.class);
  private static final Duration LONGEST_STALL = Duration.ofSeconds(30);

  private final Parts parts = new Parts();
  private final AdminServer admin;

  private SnapshotterNode(NodeConfig config, NodeParts chosen) throws IOException {
    boolean started = false;
    try {
      admin = assemble(config, chosen);
      started = true;
    } finally {
      if (!started) {
        parts.close();
      }
    }
  }

  public static void main(String[] args) {
    ServiceMain.run("snapshotter-node", args, settings -> start(NodeConfig.from(settings)));
  }

  /** Starts a node with the parts that it has outside of tests. */
  public static SnapshotterNode start(NodeConfig config) throws IOException {
    return start(config, NodeParts.standard());
  }

  /**
   * Starts a node.
   *
   * @throws IOException another node has its root or its socket, or something can't be made there
   */
  public static SnapshotterNode start(NodeConfig config, NodeParts chosen) throws IOException {
    return new SnapshotterNode(config, chosen);
  }

  /**
   * The last part that is made is the first that is closed: first no more calls, the mount late.
   */
  private AdminServer assemble(NodeConfig config, NodeParts chosen) throws IOException {
    makePrivate(config.root());
    NodeDatabase database = parts.add(NodeDatabase.open(config.root().resolve("db")));
    Metrics metrics = new Metrics();
    Readiness readiness = new Readiness();
    AdminServer adminServer =
        parts.add(AdminServer.start(config.adminListen(), metrics, readiness));
    FetchCounts counts = new FetchCounts(metrics);
    StallGuard stalls = parts.add(new StallGuard(LONGEST_STALL));
    Repositories repositories = new Repositories(parts.add(chosen.registries(config)));
    Optional<FleetCache> cache = chosen.cache(config, metrics);
    cache.ifPresent(parts::add);
    Path snapshots = Files.createDirectories(config.root().resolve("snapshots"));
    LazyLayers layers =
        parts.add(
            chosen.layers(
                config,
                snapshots.resolve("l"),
                config.root().resolve("layers"),
                database,
                new FleetBytes(repositories, cache, counts, stalls, config.transfersPerRegistry()),
                metrics));
    Decisions decisions = new Decisions(metrics);
    ImageLayers images =
        parts.add(
            new ImageLayers(
                config.images(), repositories, cache, layers, decisions, counts, stalls));
    MountedImages mounts =
        new MountedImages(
            snapshots,
            database,
            repositories,
            images,
            decisions,
            layers,
            counts,
            stalls,
            config.unpackLimitBytes());
    Snapshotter snapshotter =
        new Snapshotter(
            SnapshotStore.open(database),
            config.root(),
            layers,
            layer -> images.holds(layer) || mounts.holds(layer),
            images);
    metrics.gauge(
        "soci_node_lazy_layers", "Layers on this node's mount", () -> layers.keys().size());
    metrics.gauge(
        "soci_node_mounted_images", "Images held for soci mount", () -> mounts.all().size());
    parts.add(
        ControlServer.start(
            config.controlSocket(),
            new ControlApi(mounts, decisions, layers, counts, snapshotter)));
    makePrivate(config.socket().getParent());
    parts.add(
        UnixSocketServer.start(
            config.socket(), List.of(new SnapshotsService(snapshotter, metrics))));
    if (config.registries().hosts().isEmpty()) {
      log.warn("there is no [[registry]]: every layer is left to containerd");
    }
    readiness.started();
    log.info("containerd's socket is {}, soci's is {}", config.socket(), config.controlSocket());
    return adminServer;
  }

  /** A directory that is made is for root only; one that is there stays as it is. */
  private static void makePrivate(@Nullable Path directory) throws IOException {
    if (directory == null || Files.isDirectory(directory)) {
      return;
    }
    try {
      Files.createDirectories(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    } catch (IOException e) {
      throw new IOException("cannot make " + directory + ": " + e + ": the node runs as root", e);
    }
  }

  public int adminPort() {
    return admin.port();
  }

  @Override
  public void close() {
    parts.close();
  }
}
