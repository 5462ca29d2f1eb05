package dev.socifleet.cli;

import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.convert.Vectors;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A containerd with the images of {@link Vectors}, and the command on it. Needs root. */
public final class ContainerdWithImages implements AutoCloseable {
  private final Path directory;
  private final Vectors vectors = new Vectors();
  private final ContainerdProcess containerd;

  private ContainerdWithImages(Path directory) throws IOException, InterruptedException {
    this.directory = directory;
    containerd = ContainerdProcess.start(directory.resolve("containerd"), Map.of());
  }

  /** Starts it, or skips the test where that can't be done. */
  public static ContainerdWithImages start(Path directory)
      throws IOException, InterruptedException {
    Needs.root();
    Needs.programs("containerd", "ctr");
    return new ContainerdWithImages(directory);
  }

  public Vectors vectors() {
    return vectors;
  }

  /** Imports an image as {@code example.test/NAME:latest}, with all that is there of it. */
  public String add(String image) throws IOException, InterruptedException {
    Path layout = directory.resolve(image);
    if (!Files.exists(layout)) {
      vectors.copy(image, layout);
    }
    Path tar = directory.resolve(image + ".tar");
    ContainerdProcess.run(List.of("tar", "-C", layout.toString(), "-cf", tar.toString(), "."))
        .success();
    ctr("images", "import", "--all-platforms", "--no-unpack", tar.toString());
    return "example.test/" + image + ":latest";
  }

  public String ctr(String... arguments) throws IOException, InterruptedException {
    return containerd.ctr(arguments).success();
  }

  /** Returns when all is gone that nothing refers to. */
  public void collectGarbage() throws IOException, InterruptedException {
    String lease = ctr("leases", "create").strip();
    ctr("leases", "rm", "--sync", lease);
  }

  /** Runs soci on this containerd, with a root directory of its own. */
  public Ended soci(String... arguments) {
    return sociAt("root", arguments);
  }

  /** Runs soci with another root directory. */
  public Ended sociAt(String root, String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--address",
                containerd.socket().toString(),
                "--root",
                directory.resolve(root).toString()));
    all.addAll(List.of(arguments));
    return RunSoci.soci(all);
  }

  @Override
  public void close() {
    containerd.close();
  }
}
