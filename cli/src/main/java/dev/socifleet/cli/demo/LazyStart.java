package dev.socifleet.cli.demo;

import dev.socifleet.cli.Lifetime;
import dev.socifleet.cli.mount.OverlayMount;
import dev.socifleet.node.control.ControlClient;
import dev.socifleet.node.control.NodeStatus;
import dev.socifleet.node.mounts.MountedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The start of the image's program out of a lazy mount, as it was measured.
 *
 * @param bytes what came to the node for it, from the cache or the registry
 * @param mounted until the image was mounted
 * @param toFirstOutput from the mount's begin to the program's first output
 * @param warm whether the node had a layer of the image before
 */
record LazyStart(long bytes, Duration mounted, Duration toFirstOutput, boolean warm, String text) {

  /**
   * Mounts and runs; what is mounted ends with {@code life} at the latest.
   *
   * @param directory where to mount, made
   */
  static LazyStart of(ControlClient node, String image, Path directory, Lifetime life)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    NodeStatus before = node.status();
    long started = System.nanoTime();
    Mounted mounted = life.start(() -> Mounted.of(node, image, directory));
    Duration toMount = Duration.ofNanos(System.nanoTime() - started);
    try {
      long running = System.nanoTime();
      FirstOutput output = FirstOutput.of(directory, JdkImage.COMMAND);
      Duration total = Duration.ofNanos(running - started).plus(output.toFirstOutput());
      long bytes = bytes(node.status()) - bytes(before);
      return new LazyStart(bytes, toMount, total, mounted.wasThere(before), output.text());
    } finally {
      mounted.close();
    }
  }

  private static long bytes(NodeStatus status) {
    return status.transfers().stream().mapToLong(NodeStatus.Transfer::bytes).sum();
  }

  /** The image while it is mounted; closing twice is once. */
  private static final class Mounted implements AutoCloseable {
    private final ControlClient node;
    private final MountedImage image;
    private final Path directory;
    private boolean closed;

    private Mounted(ControlClient node, MountedImage image, Path directory) {
      this.node = node;
      this.image = image;
      this.directory = directory;
    }

    static Mounted of(ControlClient node, String reference, Path directory)
        throws IOException, InterruptedException {
      MountedImage image = node.mount(reference, "");
      try {
        OverlayMount.mount(image, directory, Optional.empty(), "");
        return new Mounted(node, image, directory);
      } catch (IOException | InterruptedException | RuntimeException e) {
        node.release(image.id());
        throw e;
      }
    }

    boolean wasThere(NodeStatus before) {
      Set<String> there =
          before.layers().stream().map(NodeStatus.Layer::layer).collect(Collectors.toSet());
      return image.layers().stream().anyMatch(layer -> there.contains(layer.digest()));
    }

    @Override
    public synchronized void close() throws IOException {
      if (closed) {
        return;
      }
      closed = true;
      try {
        OverlayMount.unmount(directory, true);
      } catch (InterruptedException e) {
        // What is left mounted below the state directory is detached when the node ends.
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while unmounting " + directory, e);
      } finally {
        node.release(image.id());
      }
    }
  }
}
