package dev.socifleet.cli.demo;

import dev.socifleet.cli.up.Mounts;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** A directory that is gone at the end, with what is in it and mounted below it. */
record TemporaryDirectory(Path path) implements AutoCloseable {
  static TemporaryDirectory create(Path parent) throws IOException {
    return new TemporaryDirectory(Files.createTempDirectory(parent, "soci-demo-").toRealPath());
  }

  @Override
  public void close() throws IOException {
    Mounts.detachBelow(path);
    if (!Mounts.below(path).isEmpty()) {
      throw new IOException("something is still mounted below " + path + "; it is left there");
    }
    remove(path);
  }

  /** Removes a directory and what is in it, following no link. */
  static void remove(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
              throws IOException {
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
