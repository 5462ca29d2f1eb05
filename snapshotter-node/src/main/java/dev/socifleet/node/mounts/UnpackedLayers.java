package dev.socifleet.node.mounts;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers that the node unpacked for mounts, each once however many mounts have it, and gone with
 * the last. Thread-safe.
 *
 * <pre>
 * u/0a1b…   a layer: the first 32 digits of its digest
 * u/new-…   being unpacked
 * u/gone-…  being deleted
 * </pre>
 */
final class UnpackedLayers {
  private static final Logger log = LoggerFactory.getLogger(UnpackedLayers.class);
  // Half of a sha256 can't be made to collide, and 500 paths must fit into a mount's options.
  private static final int NAME_DIGITS = 32;

  /** A layer that somebody uses or unpacks. */
  private static final class Use {
    final ReentrantLock unpacking = new ReentrantLock();
    int users; // guarded by uses
    volatile boolean ready;
  }

  private final Path directory;
  private final LayerUnpacker unpacker;
  private final Map<Digest, Use> uses = new HashMap<>();
  private long gone;

  UnpackedLayers(Path directory, LayerUnpacker unpacker) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.unpacker = unpacker;
  }

  /** Where a layer is when it is here. */
  Path path(Digest layer) {
    return directory.resolve(layer.hex().substring(0, NAME_DIGITS));
  }

  /** Counts a use that was there before the node started; false when the layer is not here. */
  boolean resume(Digest layer) {
    if (!Files.isDirectory(path(layer), LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    synchronized (uses) {
      Use use = uses.computeIfAbsent(layer, _ -> new Use());
      use.users++;
      use.ready = true;
    }
    return true;
  }

  /** Deletes whatever no use was counted for. */
  void deleteUnused() throws IOException {
    synchronized (uses) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
        for (Path found : all) {
          if (uses.keySet().stream().noneMatch(layer -> path(layer).equals(found))) {
            delete(found);
          }
        }
      }
    }
  }

  /** Unpacks a layer unless it is here; to be released after use. */
  Path acquire(Repository repository, Descriptor layer) throws IOException, UnmountableException {
    Use use;
    synchronized (uses) {
      use = uses.computeIfAbsent(layer.digest(), _ -> new Use());
      use.users++;
    }
    boolean done = false;
    try {
      use.unpacking.lockInterruptibly();
      try {
        if (!use.ready) {
          unpack(repository, layer);
          use.ready = true;
        }
      } finally {
        use.unpacking.unlock();
      }
      done = true;
      return path(layer.digest());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("unpacking layer " + layer.digest() + " was interrupted");
    } finally {
      if (!done) {
        release(layer.digest());
      }
    }
  }

  private void unpack(Repository repository, Descriptor layer)
      throws IOException, UnmountableException {
    Path unfinished = directory.resolve("new-" + path(layer.digest()).getFileName());
    delete(unfinished);
    Files.createDirectory(unfinished);
    // What it is where the layer's tar says nothing of its root directory.
    Files.setAttribute(unfinished, "unix:mode", 0755);
    boolean done = false;
    try {
      unpacker.unpack(repository, layer, unfinished);
      Files.move(unfinished, path(layer.digest()), StandardCopyOption.ATOMIC_MOVE);
      done = true;
    } finally {
      if (!done) {
        delete(unfinished);
      }
    }
  }

  /** Ends a use; the last one's end deletes the layer. */
  void release(Digest layer) {
    Path discarded;
    synchronized (uses) {
      Use use = uses.get(layer);
      if (use == null || --use.users > 0) {
        return;
      }
      uses.remove(layer);
      if (!use.ready) {
        return;
      }
      discarded = directory.resolve("gone-" + gone++);
      try {
        Files.move(path(layer), discarded, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        log.warn("cannot delete unpacked layer {}: {}", layer, e.toString());
        return;
      }
    }
    try {
      delete(discarded);
    } catch (IOException e) {
      log.warn("cannot delete unpacked layer {} yet: {}", layer, e.toString());
    }
  }

  private static void delete(Path tree) throws IOException {
    if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            if (e != null && !(e instanceof NoSuchFileException)) {
              throw e;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
