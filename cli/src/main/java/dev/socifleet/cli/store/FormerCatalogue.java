package dev.socifleet.cli.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * The existing tool's {@code artifacts.db} (bbolt) in the same root. It isn't read, for all it
 * lists is in the store, where it can be found; but its time tells whether there may be something
 * new. A file beside our catalogue, one for each store, has the time that it had when its artifacts
 * were last looked for.
 */
final class FormerCatalogue {
  private final Path database;
  private final Path seen;

  /**
   * @param store tells the stores apart that one root may be used with
   */
  FormerCatalogue(Path root, Path catalogue, String store) {
    database = root.resolve("artifacts.db");
    seen = catalogue.resolve("." + store + ".seen");
  }

  Path database() {
    return database;
  }

  /** When it was changed; empty where there is none. */
  Optional<FileTime> changed() throws IOException {
    return time(database);
  }

  /** Whether {@link #looked} was never said of this time. */
  boolean isNews(FileTime changed) throws IOException {
    return !time(seen).equals(Optional.of(changed));
  }

  void looked(FileTime changed) throws IOException {
    Files.createDirectories(seen.getParent());
    Files.write(seen, new byte[0]);
    Files.setLastModifiedTime(seen, changed);
  }

  private static Optional<FileTime> time(Path file) throws IOException {
    try {
      return Optional.of(Files.getLastModifiedTime(file));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
