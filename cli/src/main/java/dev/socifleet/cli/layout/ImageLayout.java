package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/** A layout that is read. Thread-safe. */
public interface ImageLayout {
  /** No index.json is larger, in bytes. */
  int LARGEST_INDEX = 4 << 20;

  /** Where a blob is. */
  Optional<Place> find(Digest blob) throws IOException;

  /** Every blob of the layout, whether an image refers to it or not. */
  Collection<Digest> blobs() throws IOException;

  /** The bytes of {@code index.json}. */
  byte[] index() throws IOException;

  /**
   * Opens a directory or a tar.
   *
   * @throws CommandFailure if it is neither, or holds no layout
   */
  static ImageLayout open(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new CommandFailure("cannot read " + path + ": there is no such file or directory");
    }
    ImageLayout layout =
        Files.isDirectory(path) ? new DirectoryLayout(path) : ArchiveLayout.open(path);
    layout.index();
    return layout;
  }

  /** Reads a small file of a layout. */
  static byte[] small(Place place, int most, String what) throws IOException {
    if (place.size() > most) {
      throw new CommandFailure(
          what + " has " + place.size() + " bytes; more than " + most + " aren't read");
    }
    try (InputStream in = place.open()) {
      return in.readNBytes(most);
    }
  }

  /** The failure for what has no index.json. */
  static CommandFailure noLayout(Path path) {
    return new CommandFailure(
        path
            + " is no OCI image layout: it has no index.json. An older docker save is made one with:"
            + " skopeo copy docker-archive:IN oci-archive:OUT");
  }
}
