package dev.socifleet.systemtests;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the project's documents and launcher are. */
final class ProjectRoot {
  private ProjectRoot() {}

  static Path find() {
    Path directory = Path.of("").toAbsolutePath();
    while (!Files.isExecutable(directory.resolve("soci"))) {
      directory = directory.getParent();
      if (directory == null) {
        throw new IllegalStateException("these tests run inside the project");
      }
    }
    return directory;
  }
}
