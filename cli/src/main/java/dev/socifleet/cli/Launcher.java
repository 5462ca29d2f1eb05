package dev.socifleet.cli;

import java.nio.file.Path;

/** How this command was started, as far as the launcher tells. */
public final class Launcher {
  private Launcher() {}

  /** What a user types here for this command: {@code soci}, {@code ./soci} or a path. */
  public static String command() {
    String home = System.getProperty("soci.home", "");
    return home.isEmpty() ? "soci" : command(Path.of(home), Path.of("").toAbsolutePath());
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
