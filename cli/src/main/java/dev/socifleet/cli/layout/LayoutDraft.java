package dev.socifleet.cli.layout;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The blobs that a new layout has beyond those of the one it is made of, in a directory beside the
 * place where the layout is going to be. Closing it removes what wasn't moved there. Thread-safe.
 */
public final class LayoutDraft implements AutoCloseable {
  private final Path directory;

  private LayoutDraft(Path directory) {
    this.directory = directory;
  }

  /** Begins a draft in the directory of {@code output}, which is made if it isn't there. */
  public static LayoutDraft beside(Path output) throws IOException {
    Path parent = output.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IOException("cannot write to " + output + ": name a path in a directory");
    }
    Files.createDirectories(parent);
    return new LayoutDraft(
        Files.createTempDirectory(parent, "." + output.getFileName() + ".soci-"));
  }

  /** A path for something else that is being made. */
  Path scratch(String name) {
    return directory.resolve(name);
  }

  /** Where the new layout's own directory is. */
  Path layout() {
    return directory.resolve("layout");
  }

  public void put(Digest blob, byte[] bytes) throws IOException {
    Path file = layout().resolve(BlobNames.of(blob));
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  public Optional<Place> find(Digest blob) throws IOException {
    Path file = layout().resolve(BlobNames.of(blob));
    return Files.isRegularFile(file)
        ? Optional.of(Place.of(file, Files.size(file)))
        : Optional.empty();
  }

  @Override
  public void close() throws IOException {
    delete(directory);
  }

  /** Deletes a directory and what is in it; links are not followed. */
  static void delete(Path directory) throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(directory)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path path : deepestFirst) {
      Files.deleteIfExists(path);
    }
  }
}
