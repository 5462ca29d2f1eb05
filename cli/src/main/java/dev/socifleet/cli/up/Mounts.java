package dev.socifleet.cli.up;

import dev.socifleet.cli.MountTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is mounted below a directory; left behind by a process that was killed, it is detached. */
public final class Mounts {
  private static final Logger LOG = LoggerFactory.getLogger(Mounts.class);

  private Mounts() {}

  /** Mount points at and below {@code directory}, the last mounted first. */
  public static List<Path> below(Path directory) throws IOException {
    String at = directory.toString();
    String under = at.endsWith("/") ? at : at + "/";
    return MountTable.read().reversed().stream()
        .map(MountTable.Mount::target)
        .filter(target -> target.equals(at) || target.startsWith(under))
        .map(Path::of)
        .toList();
  }

  /**
   * Detaches them all (umount -l): they vanish at once, whoever uses them. What can't be detached
   * is told in the log.
   */
  public static void detachBelow(Path directory) throws IOException {
    // A dead mount at the directory itself could not be resolved; one above it is not ours.
    Path parent = directory.toAbsolutePath().getParent();
    Path real =
        parent == null || !Files.exists(parent)
            ? directory.toAbsolutePath()
            : parent.toRealPath().resolve(directory.getFileName());
    for (Path mount : below(real)) {
      detach(mount);
    }
  }

  private static void detach(Path mount) throws IOException {
    Process umount =
        new ProcessBuilder("umount", "-l", mount.toString()).redirectErrorStream(true).start();
    String said =
        new String(umount.getInputStream().readNBytes(1000), StandardCharsets.UTF_8).strip();
    try {
      if (!umount.waitFor(10, TimeUnit.SECONDS) || umount.exitValue() != 0) {
        LOG.warn("cannot detach {}: {}", mount, said);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      umount.destroyForcibly();
    }
  }
}
