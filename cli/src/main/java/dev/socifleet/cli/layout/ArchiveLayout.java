package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import org.jspecify.annotations.Nullable;

/**
 * A layout in a tar. Its headers are read once, seeking over the data; blobs are then read where
 * they lie.
 */
final class ArchiveLayout implements ImageLayout {
  private final Path archive;
  private final Map<Digest, Place> blobs = new HashMap<>();
  private @Nullable Place index;

  private ArchiveLayout(Path archive) {
    this.archive = archive;
  }

  static ArchiveLayout open(Path archive) throws IOException {
    refuseCompressed(archive);
    ArchiveLayout layout = new ArchiveLayout(archive);
    long length = Files.size(archive);
    try (TarFile tar = new TarFile(archive)) {
      for (TarArchiveEntry entry : tar.getEntries()) {
        if (entry.isFile() && !entry.isSparse() && entry.isStreamContiguous()) {
          layout.add(entry, length);
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailure(archive + " is no tar of an OCI image layout: " + e.getMessage());
    }
    return layout;
  }

  private void add(TarArchiveEntry entry, long length) throws IOException {
    Place place = new Place(archive, entry.getDataOffset(), entry.getSize());
    if (place.offset() < 0 || place.size() < 0 || place.offset() > length - place.size()) {
      throw new IOException("it ends within " + entry.getName());
    }
    String name = entry.getName().startsWith("./") ? entry.getName().substring(2) : entry.getName();
    if (name.equals("index.json")) {
      index = place;
    } else {
      BlobNames.parse(name).ifPresent(digest -> blobs.put(digest, place));
    }
  }

  /** Blobs can't be read in place in a compressed tar. */
  private static void refuseCompressed(Path archive) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(archive)) {
      start = in.readNBytes(4);
    }
    if (start.length >= 2 && start[0] == 0x1f && (start[1] & 0xff) == 0x8b) {
      throw new CommandFailure(archive + " is compressed with gzip; decompress it first: gunzip");
    }
    if (start.length == 4 && start[0] == 0x28 && (start[1] & 0xff) == 0xb5) {
      throw new CommandFailure(archive + " is compressed with zstd; decompress it first: unzstd");
    }
  }

  @Override
  public Optional<Place> find(Digest blob) {
    return Optional.ofNullable(blobs.get(blob));
  }

  @Override
  public Collection<Digest> blobs() {
    return blobs.keySet();
  }

  @Override
  public byte[] index() throws IOException {
    if (index == null) {
      throw ImageLayout.noLayout(archive);
    }
    return ImageLayout.small(index, LARGEST_INDEX, "index.json of " + archive);
  }
}
