package dev.socifleet.node.snapshots;

import dev.socifleet.node.layers.RootAttributes;
import dev.socifleet.node.snapshots.Snapshot.Usage;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The directories of snapshots that have some.
 *
 * <pre>
 * snapshots/
 *   17/fs          upper directory, or an unpacked layer
 *   17/work        overlayfs's work directory, of active snapshots
 *   new-18         being made; renamed when whole
 *   gone-16        being deleted
 * </pre>
 */
final class SnapshotDirectories {
  private static final int BLOCK = 4096;

  private final Path snapshots;

  SnapshotDirectories(Path snapshots) throws IOException {
    this.snapshots = snapshots;
    Files.createDirectories(snapshots);
  }

  Path fs(long id) {
    return snapshots.resolve(id + "/fs");
  }

  Path work(long id) {
    return snapshots.resolve(id + "/work");
  }

  /** Makes a snapshot's directories, whole or not at all. */
  void make(long id, boolean writable, RootAttributes root) throws IOException {
    Path made = snapshots.resolve("new-" + id);
    delete(made);
    Files.createDirectory(made);
    Path fs = Files.createDirectory(made.resolve("fs"));
    Files.setAttribute(fs, "unix:uid", root.uid());
    Files.setAttribute(fs, "unix:gid", root.gid());
    Files.setAttribute(fs, "unix:mode", root.mode());
    if (writable) {
      Path work = Files.createDirectory(made.resolve("work"));
      Files.setAttribute(work, "unix:mode", 0711);
    }
    // One is there when a crash came between here and the database.
    discard(id);
    Files.move(made, snapshots.resolve(Long.toString(id)), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Owner and mode of a snapshot's root directory as it is now. */
  RootAttributes rootOf(long id) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(fs(id), "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
    return new RootAttributes(
        (int) number(found, "mode") & 07777,
        (int) number(found, "uid"),
        (int) number(found, "gid"));
  }

  /** Takes a snapshot's directories out of sight; {@link #deleteDiscarded} deletes them. */
  void discard(long id) throws IOException {
    Path directory = snapshots.resolve(Long.toString(id));
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path gone = snapshots.resolve("gone-" + id);
    delete(gone);
    Files.move(directory, gone, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Takes every directory but those of {@code ids} out of sight. Nobody makes any meanwhile. */
  void discardAllBut(Set<Long> ids) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(snapshots)) {
      for (Path directory : all) {
        String name = String.valueOf(directory.getFileName());
        if (name.startsWith("new-")) {
          Path gone = snapshots.resolve("gone-" + name);
          delete(gone);
          Files.move(directory, gone, StandardCopyOption.ATOMIC_MOVE);
        } else if (name.matches("\\d{1,18}") && !ids.contains(Long.valueOf(name))) {
          discard(Long.parseLong(name));
        }
      }
    }
  }

  void deleteDiscarded(long id) throws IOException {
    delete(snapshots.resolve("gone-" + id));
  }

  /** Deletes what was taken out of sight. */
  void deleteDiscarded() throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(snapshots, "gone-*")) {
      for (Path directory : all) {
        delete(directory);
      }
    }
  }

  /**
   * What a snapshot's own directory holds. Files count in whole blocks, hard links once; the holes
   * of sparse files count too, for the JDK doesn't tell the blocks in use.
   */
  Usage usage(long id) throws IOException {
    UsageVisitor visitor = new UsageVisitor();
    Files.walkFileTree(fs(id), visitor);
    return new Usage(visitor.bytes, visitor.inodes);
  }

  private static final class UsageVisitor extends SimpleFileVisitor<Path> {
    private final Set<Object> linked = new HashSet<>();
    private long bytes;
    private long inodes;

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      count(attributes.size());
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      try {
        int links =
            (int)
                number(
                    Files.readAttributes(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS), "nlink");
        if (links < 2 || linked.add(attributes.fileKey())) {
          count(attributes.isRegularFile() ? attributes.size() : 0);
        }
      } catch (NoSuchFileException e) {
        return FileVisitResult.CONTINUE;
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      // A container deletes files while its snapshot is measured.
      return continueIfGone(e);
    }

    private void count(long size) {
      bytes += (size + BLOCK - 1) / BLOCK * BLOCK;
      inodes++;
    }
  }

  private static long number(Map<String, Object> attributes, String name) {
    return attributes.get(name) instanceof Number number ? number.longValue() : 0;
  }

  /** Deletes a tree that another thread may be deleting too. */
  private static void delete(Path tree) throws IOException {
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            return continueIfGone(e);
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              return continueIfGone(e);
            }
            Files.deleteIfExists(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static FileVisitResult continueIfGone(IOException e) throws IOException {
    if (e instanceof NoSuchFileException) {
      return FileVisitResult.CONTINUE;
    }
    throw e;
  }
}
