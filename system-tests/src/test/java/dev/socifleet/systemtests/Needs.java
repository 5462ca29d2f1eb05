package dev.socifleet.systemtests;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a test needs of the machine. Where it isn't there the test is skipped, but fails under CI.
 */
final class Needs {
  private Needs() {}

  static void root() throws IOException {
    if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
      lacking("not run as root");
    }
  }

  static void fuse() {
    if (!Files.isWritable(Path.of("/dev/fuse"))) {
      lacking("there is no /dev/fuse");
    }
  }

  static void programs(String... names) {
    for (String name : names) {
      boolean there = false;
      for (String directory : (System.getenv("PATH") + ":/usr/sbin:/sbin").split(":", -1)) {
        there |= Files.isExecutable(Path.of(directory, name));
      }
      if (!there) {
        lacking(name + " isn't installed");
      }
    }
  }

  private static void lacking(String what) {
    if ("true".equals(System.getenv("CI"))) {
      fail(what);
    }
    abort(what);
  }
}
