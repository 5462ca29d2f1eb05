package dev.socifleet.cli.store;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.ContainerdOptions.Containerd;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.ImageRecords;
import dev.socifleet.containerd.Lease;
import dev.socifleet.containerd.images.v1.Image;
import io.grpc.Channel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * This machine's containerd, artifact store and catalogue. containerd is connected to when it is
 * needed. One thread opens and closes it.
 */
public final class LocalStores implements AutoCloseable {
  private static final Duration LEASE = Duration.ofDays(1);

  private final Path root;
  private final boolean directoryStore;
  private final Containerd containerd;
  private final Consumer<String> notices;
  private boolean lookedForFormer;
  private @Nullable ContainerdChannel channel;
  private @Nullable Lease lease;

  private LocalStores(
      Path root, boolean directoryStore, Containerd containerd, Consumer<String> notices) {
    this.root = root;
    this.directoryStore = directoryStore;
    this.containerd = containerd;
    this.notices = notices;
  }

  static LocalStores open(
      Path root, boolean directoryStore, Containerd containerd, Consumer<String> notices) {
    try {
      if (!Files.isDirectory(root)) {
        Files.createDirectories(
            root,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot make directory " + root + ": " + e + "; run as root, or choose one with --root");
    }
    return new LocalStores(root, directoryStore, containerd, notices);
  }

  public Duration timeout() {
    return containerd.timeout();
  }

  /**
   * What was built here. If the existing tool has built something in the same root since this was
   * last called, that is found first.
   */
  public Catalogue catalogue() throws IOException {
    if (!lookedForFormer) {
      lookedForFormer = true;
      adopt();
    }
    return ownCatalogue();
  }

  Catalogue ownCatalogue() {
    return new Catalogue(directory());
  }

  private Path directory() {
    return root.resolve("artifacts");
  }

  /** Makes the catalogue anew from what the store holds. */
  public void rebuildCatalogue() throws IOException {
    FormerCatalogue former = former();
    Optional<FileTime> changed = former.changed();
    CatalogueRebuild rebuild = new CatalogueRebuild(this);
    rebuild.forget();
    rebuild.find();
    if (changed.isPresent()) {
      former.looked(changed.get());
    }
  }

  private FormerCatalogue former() {
    return new FormerCatalogue(
        root, directory(), directoryStore ? "soci" : "containerd-" + containerd.namespace());
  }

  private void adopt() throws IOException {
    FormerCatalogue former = former();
    Optional<FileTime> changed = former.changed();
    if (changed.isEmpty() || !former.isNews(changed.get())) {
      return;
    }
    try {
      int found = new CatalogueRebuild(this).find();
      former.looked(changed.get());
      if (found > 0) {
        notices.accept(
            "found " + found + " artifacts of another soci, whose list is " + former.database());
      }
    } catch (IOException e) {
      notices.accept(
          "soci: warning: what another soci has listed in "
              + former.database()
              + " wasn't looked for: "
              + e.getMessage());
    }
  }

  /** Whether artifacts are kept in a directory of ours, not in containerd. */
  public boolean keepsArtifactsInADirectory() {
    return directoryStore;
  }

  public ArtifactStore artifacts() {
    return directoryStore ? new DirectoryArtifacts(root.resolve("content")) : containerdArtifacts();
  }

  public ArtifactStore containerdArtifacts() {
    return new ContainerdArtifacts(content());
  }

  /** containerd's content store: where the images are, whatever keeps the artifacts. */
  public ContentStore content() {
    return new ContentStore(calls());
  }

  public ImageRecords images() {
    return new ImageRecords(calls());
  }

  /** What is made in containerd from now on is held until this is closed. */
  public void hold() throws IOException {
    if (lease == null) {
      lease = Lease.open(channel(), containerd.namespace(), "soci", LEASE);
    }
  }

  private Channel calls() {
    return lease == null ? channel().namespace(containerd.namespace()) : lease.calls();
  }

  private ContainerdChannel channel() {
    if (channel == null) {
      channel = containerd.open();
    }
    return channel;
  }

  /** The image that a name means. */
  public Image image(String name) throws IOException {
    return images()
        .find(name)
        .orElseThrow(() ->
            new CommandFailure(
                "image \""
                    + name
                    + "\": not found in containerd's namespace "
                    + containerd.namespace()
                    + "; pull it with all its content, or see --namespace"));
  }

  /** containerd's images; none where containerd isn't there and isn't needed. */
  public List<Image> imagesIfThere() throws IOException {
    if (directoryStore && !Files.exists(containerd.socket())) {
      return List.of();
    }
    return images().list();
  }

  @Override
  public void close() {
    if (lease != null) {
      lease.close();
    }
    if (channel != null) {
      channel.close();
    }
  }
}
