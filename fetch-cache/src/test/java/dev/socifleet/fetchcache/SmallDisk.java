package dev.socifleet.fetchcache;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;

/** A small file system on a directory; needs root to mount one. */
public final class SmallDisk implements AutoCloseable {
  private final Path directory;

  private SmallDisk(Path directory) {
    this.directory = directory;
  }

  /** Skips the test where that can't be done. */
  public static SmallDisk mount(Path directory, int mebibytes) throws IOException {
    String size = "size=" + mebibytes + "m";
    boolean mounted = run("mount", "-t", "tmpfs", "-o", size, "tmpfs", directory.toString());
    if (!mounted && System.getenv("CI") != null) {
      throw new AssertionError("CI must be able to mount a tmpfs");
    }
    assumeTrue(mounted, "a tmpfs can't be mounted: this needs root");
    return new SmallDisk(directory);
  }

  private static boolean run(String... command) throws IOException {
    return new ProcessBuilder(command).inheritIO().start().onExit().join().exitValue() == 0;
  }

  @Override
  public void close() throws IOException {
    if (!run("umount", directory.toString())) {
      throw new AssertionError("still in use: " + directory);
    }
  }
}
