package dev.socifleet.node.mounts;

import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.images.Decisions;
import dev.socifleet.node.images.ImageId;
import dev.socifleet.node.images.ImageLayers;
import dev.socifleet.node.images.Outcome;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.layers.RootAttributes;
import dev.socifleet.node.mounts.MountedImage.MountedLayer;
import dev.socifleet.node.mounts.UnmountableException.Kind;
import dev.socifleet.node.snapshots.LayerPins;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.RegistryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the layers of an image ready for an overlay mount by whoever asked, and holds them until he
 * releases them. Layers that can't be lazy are downloaded and unpacked here, for there is no
 * containerd to do it. Thread-safe.
 */
public final class MountedImages implements LayerPins {
  private static final Logger log = LoggerFactory.getLogger(MountedImages.class);

  private final Repositories repositories;
  private final ImageLayers images;
  private final Decisions decisions;
  private final LazyLayers layers;
  private final UnpackedLayers unpacked;
  private final MountRecords records;
  private final Path empty;
  private final Map<String, MountedImage> mounts = new ConcurrentHashMap<>();

  /**
   * Takes up what was mounted before the node's last end.
   *
   * @param snapshots where unpacked layers go, beside the lazy ones
   * @param unpackLimit bytes of one layer's tar, uncompressed
   */
  public MountedImages(
      Path snapshots,
      NodeDatabase database,
      Repositories repositories,
      ImageLayers images,
      Decisions decisions,
      LazyLayers layers,
      FetchCounts counts,
      StallGuard stalls,
      long unpackLimit)
      throws IOException {
    this.repositories = repositories;
    this.images = images;
    this.decisions = decisions;
    this.layers = layers;
    this.unpacked =
        new UnpackedLayers(snapshots.resolve("u"), new LayerUnpacker(counts, stalls, unpackLimit));
    this.empty = Files.createDirectories(snapshots.resolve("e"));
    this.records = new MountRecords(database);
    for (MountedImage mounted : records.read()) {
      mounts.put(mounted.id(), mounted);
      for (Digest layer : unpackedLayers(mounted)) {
        if (!unpacked.resume(layer)) {
          log.warn("mount {} of {} has lost layer {}", mounted.id(), mounted.image(), layer);
        }
      }
    }
    unpacked.deleteUnused();
  }

  /**
   * Makes an image's layers ready; blocks while layers are unpacked.
   *
   * @throws UnmountableException it can't be mounted
   * @throws IOException it can't be mounted now
   */
  public MountedImage mount(String image, Platform platform)
      throws IOException, UnmountableException {
    ImageReference reference;
    try {
      reference = ImageReference.parse(image);
    } catch (IllegalArgumentException e) {
      throw new UnmountableException(Kind.BAD_REQUEST, "not an image reference: " + e.getMessage());
    }
    try {
      return mount(reference, WantedImage.find(repositories, reference, platform));
    } catch (RegistryException e) {
      if (e.denied()) {
        repositories.forget(reference.repository());
        throw new UnmountableException(Kind.REFUSED, String.valueOf(e.getMessage()));
      }
      throw e;
    }
  }

  private MountedImage mount(ImageReference reference, WantedImage image)
      throws IOException, UnmountableException {
    ImageId id = new ImageId(reference.repository(), image.manifest(), null);
    List<MountedLayer> ready = new ArrayList<>();
    boolean done = false;
    try {
      // The questions first: none of them should wait for a layer to be unpacked.
      List<Outcome> outcomes = new ArrayList<>();
      for (Descriptor layer : image.layers()) {
        Outcome outcome = images.outcome(id, layer.digest());
        decisions.add(reference.toString(), layer.digest().toString(), outcome);
        outcomes.add(refused(layer, outcome));
      }
      for (int i = 0; i < outcomes.size(); i++) {
        ready.add(ready(image, image.layers().get(i), outcomes.get(i)));
      }
      MountedImage mounted = mounted(reference, image, ready);
      hold(mounted);
      done = true;
      return mounted;
    } finally {
      if (!done) {
        ready.stream().filter(l -> !l.lazy()).forEach(l -> unpacked.release(digest(l)));
      }
    }
  }

  /** Whether to go on, for unpacking would fail for the same reason. */
  private static Outcome refused(Descriptor layer, Outcome outcome)
      throws IOException, UnmountableException {
    String what = "layer " + layer.digest() + ": " + outcome.detail();
    return switch (outcome.reason()) {
      case TEMPORARY, TIMED_OUT -> throw new IOException(what);
      case DENIED, NOT_ALLOWED -> throw new UnmountableException(Kind.REFUSED, what);
      case LAZY, NO_INDEX, NO_ZTOC, TOO_SMALL, UNSERVABLE, BROKEN, LABELS -> outcome;
    };
  }

  private MountedLayer ready(WantedImage image, Descriptor layer, Outcome outcome)
      throws IOException, UnmountableException {
    LayerKey lazy = outcome.layer();
    Path directory =
        lazy == null
            ? unpacked.acquire(image.repository(), layer)
            : layers
                .find(lazy)
                .orElseThrow(() ->
                    new IOException("layer " + lazy + " was taken away meanwhile: try again"));
    return new MountedLayer(
        layer.digest().toString(),
        lazy == null ? "" : lazy.ztoc().toString(),
        layer.size(),
        lazy != null,
        outcome.reason().code(),
        outcome.detail(),
        directory.toString());
  }

  private MountedImage mounted(
      ImageReference reference, WantedImage image, List<MountedLayer> ready) throws IOException {
    // overlayfs refuses a directory that is there twice. Of equal layers the lower ones show
    // nothing
    // that the upper one doesn't, and hide nothing else.
    SequencedSet<String> lower = new LinkedHashSet<>();
    ready.reversed().forEach(layer -> lower.add(layer.directory()));
    if (lower.size() == 1) {
      lower.add(empty.toString()); // an overlay without upper directory needs two
    }
    byte[] random = new byte[6];
    new SecureRandom().nextBytes(random);
    RootAttributes root = root(ready);
    return new MountedImage(
        HexFormat.of().formatHex(random),
        reference.toString(),
        image.manifest().toString(),
        List.copyOf(lower),
        new MountedImage.Root(root.mode(), root.uid(), root.gid()),
        ready);
  }

  private RootAttributes root(List<MountedLayer> ready) throws IOException {
    for (MountedLayer layer : ready.reversed()) {
      Optional<RootAttributes> root =
          layer.lazy()
              ? layers.rootOf(key(layer))
              : Optional.of(attributes(Path.of(layer.directory())));
      if (root.isPresent()) {
        return root.get();
      }
    }
    return new RootAttributes(0755, 0, 0);
  }

  private static RootAttributes attributes(Path directory) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(directory, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
    return new RootAttributes(
        (Integer) found.getOrDefault("mode", 0) & 07777,
        (Integer) found.getOrDefault("uid", 0),
        (Integer) found.getOrDefault("gid", 0));
  }

  private void hold(MountedImage mounted) throws IOException {
    mounts.put(mounted.id(), mounted);
    boolean done = false;
    try {
      records.add(mounted);
      for (MountedLayer layer : mounted.layers()) {
        // Between its being found and its being held it may have been removed.
        if (layer.lazy() && layers.find(key(layer)).isEmpty()) {
          throw new IOException("layer " + key(layer) + " was taken away meanwhile: try again");
        }
      }
      done = true;
    } finally {
      if (!done) {
        mounts.remove(mounted.id());
        records.remove(mounted.id());
      }
    }
  }

  /** Ends a mount's hold on its layers; false when there is no such mount. Unmount it first. */
  public boolean release(String id) throws IOException {
    MountedImage mounted = mounts.remove(id);
    if (mounted == null) {
      return false;
    }
    records.remove(id);
    unpackedLayers(mounted).forEach(unpacked::release);
    images.forget(
        new ImageId(
            ImageReference.parse(mounted.image()).repository(),
            Digest.parse(mounted.manifest()),
            null));
    return true;
  }

  /** What is mounted. */
  public List<MountedImage> all() {
    return List.copyOf(mounts.values());
  }

  @Override
  public boolean holds(LayerKey layer) {
    return mounts.values().stream()
        .flatMap(mounted -> mounted.layers().stream())
        .anyMatch(of -> of.lazy() && key(of).equals(layer));
  }

  /** One use each, so also twice where an image has a layer twice. */
  private static List<Digest> unpackedLayers(MountedImage mounted) {
    return mounted.layers().stream()
        .filter(layer -> !layer.lazy())
        .map(MountedImages::digest)
        .toList();
  }

  private static Digest digest(MountedLayer layer) {
    return Digest.parse(layer.digest());
  }

  private static LayerKey key(MountedLayer layer) {
    return new LayerKey(digest(layer), Digest.parse(layer.ztoc()));
  }
}
