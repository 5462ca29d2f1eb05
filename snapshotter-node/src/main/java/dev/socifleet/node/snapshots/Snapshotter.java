package dev.socifleet.node.snapshots;

import static dev.socifleet.node.snapshots.SnapshotException.Reason.ALREADY_EXISTS;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.FAILED_PRECONDITION;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.INVALID_ARGUMENT;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.UNAVAILABLE;

import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.layers.RootAttributes;
import dev.socifleet.node.snapshots.Snapshot.Kind;
import dev.socifleet.node.snapshots.Snapshot.Usage;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshotter's state machine. Thread-safe.
 *
 * <p>{@link #prepare} with the label {@link Labels#TARGET} asks for a layer. When the layer can be
 * read lazily, a committed snapshot is made at once and the answer is ALREADY_EXISTS: containerd
 * then lists our snapshots for one with this label and this parent, and downloads nothing. Such a
 * snapshot is unique per (label, parent), whatever the namespace; its name comes from both.
 */
public final class Snapshotter {
  private static final Logger log = LoggerFactory.getLogger(Snapshotter.class);
  private static final RootAttributes PLAIN_ROOT = new RootAttributes(0755, 0, 0);

  private final SnapshotStore store;
  private final SnapshotDirectories directories;
  private final LazyLayers layers;
  private final LayerPins pins;
  private final LayerSource source;
  // Held while a layer's being in use is looked at and acted on.
  private final ReentrantLock layersInUse = new ReentrantLock();

  /**
   * @param root holds {@code snapshots/}, made if needed
   * @param pins what else keeps a layer on this node
   */
  public Snapshotter(
      SnapshotStore store, Path root, LazyLayers layers, LayerPins pins, LayerSource source)
      throws IOException {
    this.store = store;
    this.directories = new SnapshotDirectories(root.resolve("snapshots"));
    this.layers = layers;
    this.pins = pins;
    this.source = source;
    cleanup();
  }

  /** Makes an active snapshot, or a lazy one of the layer that the labels name (see above). */
  public List<MountOptions> prepare(String key, String parent, Map<String, String> labels)
      throws SnapshotException, IOException {
    String target = labels.getOrDefault(Labels.TARGET, "");
    if (!target.isEmpty() && store.find(key).isEmpty()) {
      requireParent(parent);
      if (becomesLazy(key, target, parent, labels)) {
        throw new SnapshotException(
            ALREADY_EXISTS, "target snapshot " + target + " is there, read lazily");
      }
    }
    return mounts(create(Kind.ACTIVE, key, parent, labels));
  }

  /** Makes a read-only snapshot. */
  public List<MountOptions> view(String key, String parent, Map<String, String> labels)
      throws SnapshotException, IOException {
    return mounts(create(Kind.VIEW, key, parent, labels));
  }

  /** How an active snapshot or a view is mounted. */
  public List<MountOptions> mounts(String key) throws SnapshotException {
    Snapshot snapshot = store.get(key);
    if (snapshot.kind() == Kind.COMMITTED) {
      throw new SnapshotException(
          FAILED_PRECONDITION, "snapshot " + key + " is committed: prepare or view one on top");
    }
    return mounts(snapshot);
  }

  /** Turns an active snapshot into a committed one with these labels instead of its own. */
  public void commit(String key, String name, Map<String, String> labels)
      throws SnapshotException, IOException {
    Snapshot active = store.get(key);
    if (active.kind() != Kind.ACTIVE) {
      throw new SnapshotException(
          FAILED_PRECONDITION, "snapshot " + key + " is not active, so it cannot be committed");
    }
    Map<String, String> kept = new HashMap<>(labels);
    // containerd finds a committed layer by this label after another pull's ALREADY_EXISTS.
    String target = active.labels().get(Labels.TARGET);
    if (target != null) {
      kept.putIfAbsent(Labels.TARGET, target);
    }
    store.commit(key, name, kept, directories.usage(active.id()));
  }

  /** Removes a snapshot that has no children; its directories are deleted soon after. */
  public void remove(String key) throws SnapshotException, IOException {
    Snapshot removed = store.remove(key);
    if (removed.lazyLayer() != null) {
      releaseIfUnused(removed.lazyLayer());
      return;
    }
    directories.discard(removed.id());
    Thread.startVirtualThread(() -> {
      try {
        directories.deleteDiscarded(removed.id());
      } catch (IOException e) {
        log.warn("cannot delete the directories of removed snapshot {} yet: {}", key, e.toString());
      }
    });
  }

  public Snapshot stat(String key) throws SnapshotException {
    return store.get(key);
  }

  /** Every snapshot, the lazy ones first: containerd takes the first that its filter matches. */
  public List<Snapshot> list() {
    return store.all();
  }

  /** Changes labels; {@code paths} are a field mask's, none of them means all labels. */
  public Snapshot update(String name, Map<String, String> labels, List<String> paths)
      throws SnapshotException, IOException {
    for (String path : paths) {
      if (!path.equals("labels") && !path.startsWith("labels.")) {
        throw new SnapshotException(
            INVALID_ARGUMENT, "cannot update field " + path + " of snapshot " + name);
      }
    }
    return store.relabel(
        name,
        old -> {
          if (paths.isEmpty() || paths.contains("labels")) {
            return labels;
          }
          Map<String, String> changed = new HashMap<>(old);
          for (String path : paths) {
            String label = path.substring("labels.".length());
            String value = labels.getOrDefault(label, "");
            if (value.isEmpty()) {
              changed.remove(label);
            } else {
              changed.put(label, value);
            }
          }
          return changed;
        });
  }

  /** What a snapshot holds above its parent; measured now while it isn't committed. */
  public Usage usage(String key) throws SnapshotException, IOException {
    Snapshot snapshot = store.get(key);
    return snapshot.kind() == Kind.COMMITTED ? snapshot.usage() : directories.usage(snapshot.id());
  }

  /** Deletes directories of removed snapshots, and layers that nothing uses. */
  public void cleanup() throws IOException {
    store.withoutChanges(directories::discardAllBut);
    directories.deleteDiscarded();
    for (LayerKey layer : layers.keys()) {
      releaseIfUnused(layer);
    }
  }

  private Snapshot create(Kind kind, String key, String parent, Map<String, String> labels)
      throws SnapshotException, IOException {
    return store.create(
        kind,
        key,
        parent,
        labels,
        (id, parents) -> directories.make(id, kind == Kind.ACTIVE, rootAbove(parents)));
  }

  private void requireParent(String parent) throws SnapshotException {
    if (!parent.isEmpty() && store.get(parent).kind() != Kind.COMMITTED) {
      throw new SnapshotException(
          INVALID_ARGUMENT, "parent " + parent + " is not a committed snapshot");
    }
  }

  /** Whether there is, now or already, a lazy snapshot for the layer. */
  private boolean becomesLazy(String key, String target, String parent, Map<String, String> labels)
      throws SnapshotException, IOException {
    String name = lazyName(target, parent);
    Optional<Snapshot> known = store.find(name);
    if (known.flatMap(Snapshot::lazy).flatMap(layers::find).isPresent()) {
      return true;
    }
    String namespace = key.contains("/") ? key.substring(0, key.indexOf('/')) : "";
    return switch (source.decide(namespace, labels)) {
      case LayerSource.Decision.LeftToContainerd() -> false;
      case LayerSource.Decision.Lazy(LayerKey layer) ->
          commitLazy(name, parent, lazyLabels(namespace, labels), layer);
    };
  }

  private boolean commitLazy(String name, String parent, Map<String, String> labels, LayerKey layer)
      throws SnapshotException, IOException {
    layersInUse.lock();
    try {
      if (layers.find(layer).isEmpty()) {
        log.warn("layer {} was taken away before snapshot {} could use it", layer, name);
        return false;
      }
      Optional<Snapshot> known = store.find(name);
      if (known.isEmpty()) {
        store.createLazy(name, parent, labels, layer);
      } else if (!layer.equals(known.get().lazyLayer())) {
        store.replaceLayer(name, layer);
      }
      return true;
    } catch (SnapshotException e) {
      // Another namespace's pull of the same layer was quicker.
      if (e.reason() == ALREADY_EXISTS) {
        return true;
      }
      throw e;
    } finally {
      layersInUse.unlock();
    }
  }

  private static Map<String, String> lazyLabels(String namespace, Map<String, String> labels) {
    Map<String, String> all = new HashMap<>(labels);
    all.put(Labels.REMOTE, Labels.REMOTE_VALUE);
    all.put(Labels.INDEXED, "true");
    if (!namespace.isEmpty()) {
      all.put(Labels.NAMESPACE, namespace);
    }
    return all;
  }

  private static String lazyName(String target, String parent) {
    String below = Digest.of(parent.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32);
    return "lazy/" + target + "/" + below;
  }

  private void releaseIfUnused(LayerKey layer) throws IOException {
    layersInUse.lock();
    try {
      if (!store.uses(layer) && !pins.holds(layer)) {
        layers.remove(layer);
      }
    } finally {
      layersInUse.unlock();
    }
  }

  private List<MountOptions> mounts(Snapshot snapshot) throws SnapshotException {
    // A layer may be in an image twice, and overlayfs refuses a directory that is there twice. The
    // lower one shows nothing that the upper one doesn't, and hides nothing else.
    SequencedSet<Path> lower = new LinkedHashSet<>();
    for (Snapshot parent : store.parents(snapshot)) {
      lower.add(directory(parent));
    }
    boolean writable = snapshot.kind() == Kind.ACTIVE;
    if (lower.isEmpty()) {
      return List.of(MountOptions.bind(directories.fs(snapshot.id()), writable));
    }
    if (writable) {
      return List.of(
          MountOptions.overlay(
              directories.work(snapshot.id()), directories.fs(snapshot.id()), List.copyOf(lower)));
    }
    return List.of(
        lower.size() == 1
            ? MountOptions.bind(lower.getFirst(), false)
            : MountOptions.overlay(null, null, List.copyOf(lower)));
  }

  private Path directory(Snapshot committed) throws SnapshotException {
    LayerKey layer = committed.lazyLayer();
    if (layer == null) {
      return directories.fs(committed.id());
    }
    return layers
        .find(layer)
        .orElseThrow(() ->
            new SnapshotException(
                UNAVAILABLE,
                "layer "
                    + layer
                    + " of snapshot "
                    + committed.name()
                    + " is not on this node: pull its image again"));
  }

  /** A layer's tar may say nothing of its root directory; then that of the layer below shows. */
  private RootAttributes rootAbove(List<Snapshot> parents) throws IOException {
    for (Snapshot parent : parents) {
      LayerKey layer = parent.lazyLayer();
      if (layer == null) {
        return directories.rootOf(parent.id());
      }
      Optional<RootAttributes> root = layers.rootOf(layer);
      if (root.isPresent()) {
        return root.get();
      }
    }
    return PLAIN_ROOT;
  }
}
