package dev.socifleet.cli.rpull;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.rpull.LayerResult.State;
import dev.socifleet.containerd.ContainerdException;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.Layers;
import dev.socifleet.containerd.Lease;
import dev.socifleet.containerd.SnapshotterClient;
import dev.socifleet.containerd.SnapshotterClient.Prepared;
import dev.socifleet.containerd.snapshots.v1.Info;
import dev.socifleet.node.snapshots.Labels;
import io.grpc.Status;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings layers into a snapshotter, each on top of the one before, as containerd's own unpacker
 * does: a prepare that answers "already exists" means that the snapshotter made the layer itself;
 * otherwise it is unpacked onto what was prepared. One thread.
 *
 * <p>containerd keeps the names of snapshots in its own database. Where the snapshotter doesn't
 * have (any more) what containerd has a name for, containerd never asks it again; so such names are
 * removed here, and a second pull repairs what was lost.
 */
final class LayerUnpack {
  private static final Logger log = LoggerFactory.getLogger(LayerUnpack.class);
  private static final int ATTEMPTS = 3;
  private static final String UNCOMPRESSED = "containerd.io/uncompressed";

  private final Lease lease;
  private final SnapshotterClient snapshots;
  private final Layers unpacker;
  private final ContentStore store;
  private final List<ImageLayer> layers;

  LayerUnpack(
      Lease lease, SnapshotterClient snapshots, ContentStore store, List<ImageLayer> layers) {
    this.lease = lease;
    this.snapshots = snapshots;
    this.unpacker = new Layers(lease.calls());
    this.store = store;
    this.layers = layers;
  }

  /** How many layers are there and can be mounted, from the base up; they are held from now on. */
  int ready() throws IOException {
    int ready = layers.size();
    while (ready > 0 && snapshots.stat(layers.get(ready - 1).chainId()).isEmpty()) {
      ready--;
    }
    hold(ready);
    while (ready > 0 && !mountable(layers.get(ready - 1))) {
      // What was held by the layer that is removed would be collected.
      hold(ready - 1);
      forget(ready - 1);
      ready--;
    }
    return ready;
  }

  /** Keeps that many layers from the garbage collector. */
  private void hold(int count) throws ContainerdException {
    if (count > 0) {
      lease.holdSnapshot(snapshots.name(), layers.get(count - 1).chainId());
    }
  }

  /** How a layer that is there is read. */
  State stateOf(ImageLayer layer) throws ContainerdException {
    return snapshots.stat(layer.chainId()).map(LayerUnpack::state).orElse(State.UNPACKED);
  }

  private static State state(Info info) {
    return info.getLabelsOrDefault(Labels.REMOTE, "").equals(Labels.REMOTE_VALUE)
        ? State.LAZY
        : State.UNPACKED;
  }

  /**
   * What a prepare came to.
   *
   * @param key the active snapshot's, which has to be committed or removed
   */
  record Begun(String key, Prepared.Active active) {}

  /** Asks for a layer whose parent is there; empty when the snapshotter has made it. */
  Optional<Begun> prepare(ImageLayer layer, Map<String, String> labels) throws IOException {
    for (int attempt = 1; ; attempt++) {
      String key = key("extract", layer);
      switch (snapshots.prepare(key, layer.parent(), labels)) {
        case Prepared.Active active -> {
          return Optional.of(new Begun(key, active));
        }
        case Prepared.TargetExists() -> {
          if (snapshots.stat(layer.chainId()).isPresent()) {
            lease.holdSnapshot(snapshots.name(), layer.chainId());
            return Optional.empty();
          }
        }
      }
      if (attempt == ATTEMPTS) {
        throw new CommandFailure(
            "snapshotter "
                + snapshots.name()
                + " says that layer "
                + layer.blob().digest()
                + " is there, but has no snapshot "
                + layer.chainId());
      }
      for (int above = layers.size() - 1; above >= layer.number(); above--) {
        forget(above);
      }
    }
  }

  /** Unpacks a layer, whose blob is in the content store, onto what was prepared for it. */
  void unpack(ImageLayer layer, Begun begun, Map<String, String> labels) throws IOException {
    String diffId =
        unpacker.apply(ContainerdTypes.descriptor(layer.blob()), begun.active().mounts());
    if (!diffId.equals(layer.diffId().toString())) {
      throw new CommandFailure(
          "layer "
              + layer.blob().digest()
              + " holds other files than the image's config says: its diff id is "
              + diffId
              + ", not "
              + layer.diffId());
    }
    if (!snapshots.commit(begun.key(), layer.chainId(), labels)) {
      // Another pull was quicker.
      abandon(begun);
      lease.holdSnapshot(snapshots.name(), layer.chainId());
    }
    store.label(layer.blob().digest().toString(), Map.of(UNCOMPRESSED, diffId));
  }

  /** Removes what was prepared and will not be committed. */
  void abandon(Begun begun) {
    try {
      snapshots.remove(begun.key());
    } catch (ContainerdException e) {
      log.warn("{}; containerd removes it when the lease is gone", e.getMessage());
    }
  }

  private boolean mountable(ImageLayer layer) throws IOException {
    String key = key("check", layer);
    try {
      snapshots.view(key, layer.chainId());
    } catch (ContainerdException e) {
      if (e.code() != Status.Code.UNAVAILABLE && e.code() != Status.Code.NOT_FOUND) {
        throw e;
      }
      // A snapshotter that is gone altogether has lost nothing: then this fails as well.
      boolean there = snapshots.stat(layer.chainId()).isPresent();
      log.info(
          "layer {} {}, so it is pulled again: {}",
          layer.chainId(),
          there ? "can't be mounted" : "was collected",
          e.getMessage());
      return false;
    }
    snapshots.remove(key);
    return true;
  }

  private void forget(int number) throws IOException {
    String chainId = layers.get(number).chainId();
    try {
      snapshots.remove(chainId);
    } catch (ContainerdException e) {
      if (e.code() == Status.Code.FAILED_PRECONDITION) {
        throw new CommandFailure(
            "snapshot "
                + chainId
                + " is lost in snapshotter "
                + snapshots.name()
                + ", but containers or other images use it: remove them (ctr containers ls), then pull again");
      }
      throw e;
    }
  }

  /** A name that nobody else takes, as containerd's unpacker makes them. */
  private static String key(String purpose, ImageLayer layer) {
    byte[] random = new byte[4];
    ThreadLocalRandom.current().nextBytes(random);
    return purpose
        + "-"
        + System.nanoTime()
        + "-"
        + HexFormat.of().formatHex(random)
        + " "
        + layer.chainId();
  }
}
