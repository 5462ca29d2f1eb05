package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * A layout in a directory, with every blob of the source, as the existing tool leaves it. In the
 * place of an earlier layout or an empty directory; anything else is never deleted.
 */
public record DirectoryOutput(Path path) implements LayoutOutput {
  @Override
  public void check() throws IOException {
    LayoutOutput.checkParent(path);
    if (Files.exists(path) && !isReplaceable()) {
      throw new CommandFailure(
          path + " exists and is no OCI image layout; remove it, or name another output");
    }
  }

  private boolean isReplaceable() throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      return !files.iterator().hasNext() || Files.isRegularFile(path.resolve("oci-layout"));
    }
  }

  @Override
  public void commit(LayoutDraft draft, ImageLayout source, Descriptor root) throws IOException {
    Path layout = draft.layout();
    for (Digest blob : source.blobs()) {
      Optional<Place> place = source.find(blob);
      Path file = layout.resolve(BlobNames.of(blob));
      if (place.isPresent() && !Files.exists(file)) {
        Files.createDirectories(file.getParent());
        copy(place.get(), file);
      }
    }
    Files.write(layout.resolve("oci-layout"), LayoutOutput.marker());
    Files.write(layout.resolve("index.json"), LayoutOutput.index(root));
    swap(draft, layout);
  }

  private static void copy(Place place, Path file) throws IOException {
    if (place.offset() == 0 && place.size() == Files.size(place.file())) {
      Files.copy(place.file(), file); // a copy that shares blocks, where the file system has it
    } else {
      try (var to = Files.newByteChannel(file, ArchiveOutput.NEW_FILE)) {
        place.copyTo(to);
      }
    }
  }

  private void swap(LayoutDraft draft, Path layout) throws IOException {
    Path place = Files.exists(path) ? path.toRealPath() : path;
    Path before = draft.before();
    if (Files.exists(place)) {
      check();
      Files.move(place, before, StandardCopyOption.ATOMIC_MOVE);
    }
    try {
      Files.move(layout, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      if (Files.exists(before)) {
        Files.move(before, place, StandardCopyOption.ATOMIC_MOVE);
      }
      throw e;
    }
  }
}
