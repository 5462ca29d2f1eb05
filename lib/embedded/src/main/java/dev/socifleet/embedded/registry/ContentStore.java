package dev.socifleet.embedded.registry;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/** Bytes by their digest, once for all repositories. A file here is complete and right. */
final class ContentStore {
  private final Layout layout;

  ContentStore(Layout layout) {
    this.layout = layout;
  }

  OptionalLong size(Digest digest) throws IOException {
    try {
      return OptionalLong.of(Files.size(layout.content(digest)));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    }
  }

  FileChannel open(Digest digest) throws IOException {
    return FileChannel.open(layout.content(digest), StandardOpenOption.READ);
  }

  byte[] read(Digest digest) throws IOException {
    return Files.readAllBytes(layout.content(digest));
  }

  /** Takes bytes whose digest has been checked. */
  void put(Digest digest, byte[] bytes) throws IOException {
    if (size(digest).isEmpty()) {
      Path partial = layout.partial();
      Files.write(partial, bytes);
      adopt(partial, digest);
    }
  }

  /** Takes a file over whose digest has been checked. */
  void adopt(Path file, Digest digest) throws IOException {
    if (size(digest).isPresent()) {
      Files.delete(file);
      return;
    }
    // On the disk before it has its name: else a loss of power could leave a name of wrong bytes.
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(false);
    }
    Layout.place(file, layout.content(digest));
  }
}
