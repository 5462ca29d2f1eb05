package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The kernel's list of FUSE connections (fusectl, Documentation/filesystems/fuse/fuse.rst). By it a
 * connection can be ended whose mount is out of reach.
 */
final class ControlFileSystem {
  private static final Path USUAL = Path.of("/sys/fs/fuse/connections");

  private ControlFileSystem() {}

  /**
   * Ends a connection if it is there.
   *
   * @param device major:minor of its file system
   */
  static void abort(String device) throws IOException {
    String connection = device.substring(device.indexOf(':') + 1);
    if (Mounts.isMountPoint(USUAL)) {
      abort(USUAL.resolve(connection));
      return;
    }
    Path directory = Files.createTempDirectory("fusectl");
    try {
      Mounts.mount("fusectl", "none", directory, 0, "");
      try {
        abort(directory.resolve(connection));
      } finally {
        Mounts.unmount(directory, /* lazy= */ true);
      }
    } finally {
      Files.delete(directory);
    }
  }

  private static void abort(Path connection) throws IOException {
    if (Files.isDirectory(connection)) {
      Files.writeString(connection.resolve("abort"), "1");
    }
  }
}
