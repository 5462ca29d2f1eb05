package dev.socifleet.testing;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a test needs of the machine. Where it isn't there the test is skipped, but fails under CI.
 */
public final class Needs {
  private Needs() {}

  public static void root() throws IOException {
    met(
        Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")),
        "not run as root");
  }

  public static void fuse() {
    met(Files.isWritable(Path.of("/dev/fuse")), "there is no /dev/fuse");
  }

  /** Programs on the PATH, or among those of administrators. */
  public static void programs(String... names) {
    for (String name : names) {
      boolean there = false;
      for (String directory : (System.getenv("PATH") + ":/usr/sbin:/sbin").split(":", -1)) {
        there |= Files.isExecutable(Path.of(directory, name));
      }
      met(there, name + " isn't installed");
    }
  }

  /**
   * @param lacking what to say where {@code need} isn't met
   */
  public static void met(boolean need, String lacking) {
    if (need) {
      return;
    }
    if ("true".equals(System.getenv("CI"))) {
      fail(lacking);
    }
    abort(lacking);
  }
}
