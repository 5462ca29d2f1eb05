package dev.socifleet.cli.layout;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The blobs that a new layout has beyond those of the one it is made of, in a directory beside the
 * place where the layout is going to be. Closing it removes what wasn't moved there; what a process
 * that was killed has left, the next one to the same place removes. Thread-safe.
 *
 * <pre>
 * .NAME.soci-123/     NAME is the output's
 *   lock              locked as long as the process lives
 *   layout/           the new layout
 *   before/           what was in its place, from just before the new one comes to just after
 * </pre>
 */
public final class LayoutDraft implements AutoCloseable {
  private static final String LOCK = "lock";
  private static final String BEFORE = "before";

  private final Path directory;
  private final FileChannel lock;

  private LayoutDraft(Path directory, FileChannel lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /** Begins a draft in the directory of {@code output}, which is made if it isn't there. */
  public static LayoutDraft beside(Path output) throws IOException {
    Path parent = parent(output);
    Files.createDirectories(parent);
    Path directory = Files.createTempDirectory(parent, prefix(output));
    // Nobody finds the file under its name before it is locked.
    Path unlocked = directory.resolve("unlocked");
    FileChannel lock = null;
    try {
      lock = FileChannel.open(unlocked, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
      if (locks(lock)) {
        Files.move(unlocked, directory.resolve(LOCK), StandardCopyOption.ATOMIC_MOVE);
      }
      return new LayoutDraft(directory, lock);
    } catch (IOException e) {
      if (lock != null) {
        lock.close();
      }
      delete(directory);
      throw e;
    }
  }

  /**
   * Until the channel is closed. Where there are no locks (some NFS) it goes on without, and what a
   * kill leaves stays.
   */
  private static boolean locks(FileChannel file) {
    try {
      var _ = file.lock();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static Path parent(Path output) throws IOException {
    Path parent = output.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IOException("cannot write to " + output + ": name a path in a directory");
    }
    return parent;
  }

  private static String prefix(Path output) {
    return "." + output.getFileName() + ".soci-";
  }

  /**
   * Removes the drafts for {@code output} whose processes were killed. What one of them had moved
   * out of the output's place, and not replaced, comes back.
   */
  public static void sweep(Path output) throws IOException {
    Path parent = parent(output);
    if (!Files.isDirectory(parent)) {
      return;
    }
    String prefix = prefix(output);
    try (DirectoryStream<Path> drafts =
        Files.newDirectoryStream(
            parent, path -> path.getFileName().toString().startsWith(prefix))) {
      for (Path draft : drafts) {
        if (Files.isRegularFile(draft.resolve(LOCK), LinkOption.NOFOLLOW_LINKS)) {
          sweep(draft, output);
        }
      }
    }
  }

  private static void sweep(Path draft, Path output) throws IOException {
    try (FileChannel file = FileChannel.open(draft.resolve(LOCK), StandardOpenOption.WRITE)) {
      if (file.tryLock() == null) {
        return; // its process lives
      }
      Path before = draft.resolve(BEFORE);
      if (Files.exists(before) && !Files.exists(output)) {
        Path place =
            Files.isSymbolicLink(output)
                ? parent(output).resolve(Files.readSymbolicLink(output))
                : output;
        Files.move(before, place, StandardCopyOption.ATOMIC_MOVE);
      }
      delete(draft);
    } catch (OverlappingFileLockException | NoSuchFileException e) {
      // Another thread's, or another one has just removed it.
    }
  }

  /** A path for something else that is being made. */
  Path scratch(String name) {
    return directory.resolve(name);
  }

  /** Where what is in the output's place is kept until the new layout is there. */
  Path before() {
    return directory.resolve(BEFORE);
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
    try (lock) {
      delete(directory);
    }
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
