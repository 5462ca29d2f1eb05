package dev.socifleet.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this process sees mounted, in the order of mounting. */
public final class MountTable {
  private static final Path TABLE = Path.of("/proc/self/mountinfo");
  private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})");

  private MountTable() {}

  /**
   * A mount.
   *
   * @param target as text, for names that no Path can hold may be among those of others
   */
  public record Mount(String target, String type, String source) {}

  public static List<Mount> read() throws IOException {
    // A byte a character, for names needn't be UTF-8.
    String table = new String(Files.readAllBytes(TABLE), StandardCharsets.ISO_8859_1);
    List<Mount> mounts = new ArrayList<>();
    for (String line : table.split("\n", -1)) {
      // proc(5): id parent device root mount-point options fields… - type source super-options
      String[] sides = line.split(" - ", 2);
      String[] left = sides[0].split(" ", -1);
      if (sides.length == 2 && left.length > 5) {
        String[] right = sides[1].split(" ", -1);
        mounts.add(
            new Mount(unescaped(left[4]), right[0], right.length > 1 ? unescaped(right[1]) : ""));
      }
    }
    return mounts;
  }

  /** Blanks and the like stand as octal numbers in the table. */
  private static String unescaped(String field) {
    String bytes =
        ESCAPE
            .matcher(field)
            .replaceAll(match ->
                Matcher.quoteReplacement(
                    Character.toString((char) Integer.parseInt(match.group(1), 8))));
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
