package dev.socifleet.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How this command was started, as far as the launcher tells. */
public final class Launcher {
  private Launcher() {}

  /** What a user types here for this command: {@code soci}, {@code ./soci} or a path. */
  public static String command() {
    String home = System.getProperty("soci.home", "");
    if (home.isEmpty() || isOnThePath(Path.of(home), System.getenv().getOrDefault("PATH", ""))) {
      return "soci";
    }
    return command(Path.of(home), Path.of("").toAbsolutePath());
  }

  /** Whether {@code soci} is this one, as after {@code soci install}. */
  static boolean isOnThePath(Path home, String path) {
    for (String directory : path.split(File.pathSeparator, -1)) {
      Path program = Path.of(directory, "soci");
      if (Files.isExecutable(program)) {
        try {
          return Files.isSameFile(program, home.resolve("soci"));
        } catch (IOException e) {
          return false;
        }
      }
    }
    return false;
  }

  static String command(Path home, Path here) {
    return home.equals(here) ? "./soci" : quoted(home.resolve("soci"));
  }

  /** A path as it is typed in a shell. */
  public static String quoted(Path path) {
    String text = path.toString();
    return text.matches("[\\w./+:=@-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
