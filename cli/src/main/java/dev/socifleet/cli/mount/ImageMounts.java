package dev.socifleet.cli.mount;

import dev.socifleet.node.control.ControlClient;
import dev.socifleet.node.mounts.MountedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code soci mount} has mounted through a node: dead for ever once the node's file system has
 * ended. Closed before a node that won't come back, it detaches them.
 */
public final class ImageMounts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageMounts.class);

  /** A node that hangs must not keep the stack from ending. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ControlClient node;

  /**
   * @param control the node's control socket
   */
  public ImageMounts(Path control) {
    node = new ControlClient(control);
  }

  @Override
  public void close() {
    Thread detaching = Thread.ofPlatform().daemon().name("image-mounts").start(this::detach);
    try {
      if (!detaching.join(PATIENCE)) {
        LOG.warn(
            "the node doesn't say what is mounted through it; images that still are, are dead");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void detach() {
    try {
      for (MountedImage image : node.status().mounts()) {
        for (Path target : OverlayMount.of(image.id())) {
          OverlayMount.unmount(target, true);
          LOG.info("{} was still mounted at {}", image.image(), target);
        }
        node.release(image.id());
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn(
          "images that were mounted through the node may still be, and are dead: {}",
          e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
