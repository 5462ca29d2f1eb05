package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The mounts that this process sees: {@code /proc/self/mountinfo}, proc_pid_mountinfo(5). */
final class MountTable {
  private static final Path FILE = Path.of("/proc/self/mountinfo");
  private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})");

  /**
   * One mount.
   *
   * @param device major:minor, as {@code st_dev} of its files
   * @param flags per-mount options, such as "ro" and "nosuid"
   */
  record Entry(String device, String point, Set<String> flags, String type, String source) {
    boolean isSameFileSystem(Entry other) {
      return device.equals(other.device) && type.equals(other.type) && source.equals(other.source);
    }

    boolean isFuse() {
      return type.equals("fuse") || type.startsWith("fuse.");
    }
  }

  private MountTable() {}

  /** What is mounted on a path, the last one on top; none if it is no mount point. */
  static Optional<Entry> top(Path path) throws IOException {
    String point = resolve(path).toString();
    return parse(Files.readString(FILE, StandardCharsets.UTF_8)).stream()
        .filter(entry -> entry.point().equals(point))
        .reduce((below, above) -> above);
  }

  /** The path without symbolic links before its name, which isn't touched: it may hang. */
  static Path resolve(Path path) throws IOException {
    Path absolute = path.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    return parent == null || name == null ? absolute : parent.toRealPath().resolve(name);
  }

  /**
   * <pre>
   * 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
   * id parent maj:min root point flags optional… - type source super-options
   * </pre>
   */
  static List<Entry> parse(String text) {
    List<Entry> entries = new ArrayList<>();
    for (String line : text.split("\n")) {
      String[] fields = line.split(" ");
      int dash = 6;
      while (dash < fields.length && !fields[dash].equals("-")) {
        dash++;
      }
      if (dash + 2 < fields.length) {
        entries.add(
            new Entry(
                fields[2],
                unescape(fields[4]),
                Set.of(fields[5].split(",")),
                unescape(fields[dash + 1]),
                unescape(fields[dash + 2])));
      }
    }
    return entries;
  }

  /** Space, tab, newline and backslash are three octal digits after a backslash. */
  private static String unescape(String field) {
    return ESCAPE
        .matcher(field)
        .replaceAll(match ->
            Matcher.quoteReplacement(
                Character.toString(Integer.parseInt(match.group(1), /* radix= */ 8))));
  }
}
