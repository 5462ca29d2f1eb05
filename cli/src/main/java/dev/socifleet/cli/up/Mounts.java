package dev.socifleet.cli.up;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is mounted below a directory; left behind by a process that was killed, it is detached. */
public final class Mounts {
  private static final Logger LOG = LoggerFactory.getLogger(Mounts.class);
  private static final Path TABLE = Path.of("/proc/self/mounts");
  private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})");

  private Mounts() {}

  /** Mount points at and below {@code directory}, the last mounted first. */
  public static List<Path> below(Path directory) throws IOException {
    // Bytes that aren't UTF-8 can't be in our own names.
    String table = new String(Files.readAllBytes(TABLE), StandardCharsets.UTF_8);
    List<Path> found = new ArrayList<>();
    for (String line : table.split("\n", -1)) {
      String[] fields = line.split(" ", -1);
      if (fields.length > 1) {
        Path target = Path.of(unescaped(fields[1]));
        if (target.startsWith(directory)) {
          found.addFirst(target);
        }
      }
    }
    return found;
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

  /** Blanks and the like stand as octal numbers in the table. */
  private static String unescaped(String field) {
    return ESCAPE
        .matcher(field)
        .replaceAll(match ->
            Matcher.quoteReplacement(
                Character.toString((char) Integer.parseInt(match.group(1), 8))));
  }
}
