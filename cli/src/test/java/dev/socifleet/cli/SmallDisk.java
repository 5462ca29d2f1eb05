package dev.socifleet.cli;

import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A disk that is soon full. Needs root. */
public final class SmallDisk implements AutoCloseable {
  private final Path place;

  private SmallDisk(Path place) {
    this.place = place;
  }

  /**
   * Mounts one, or skips the test where that can't be done.
   *
   * @param place a directory that isn't there yet
   */
  public static SmallDisk mount(Path place, int kilobytes)
      throws IOException, InterruptedException {
    Needs.root();
    Files.createDirectory(place);
    run("mount", "-t", "tmpfs", "-o", size(kilobytes), "tmpfs", place.toString());
    return new SmallDisk(place);
  }

  private static String size(int kilobytes) {
    return String.format(Locale.ROOT, "size=%dk", kilobytes);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    ContainerdProcess.run(List.of(command)).success();
  }

  /** Gives it another size. */
  public void resize(int kilobytes) throws IOException, InterruptedException {
    run("mount", "-o", "remount," + size(kilobytes), place.toString());
  }

  public Path path() {
    return place;
  }

  /** Its files. */
  public List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(place)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      run("umount", place.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted; " + place + " may still be mounted");
    }
  }
}
