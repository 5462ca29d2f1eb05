package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A directory made ready to be mounted on. */
final class MountPoint {
  private static final Logger log = LoggerFactory.getLogger(MountPoint.class);
  private static final int MOST_STACKED = 64;
  private static final long PATIENCE_SECONDS = 5;

  private MountPoint() {}

  /**
   * Detaches what dead servers left there.
   *
   * @return the directory without symbolic links
   * @throws IOException when it is no directory, or a server is alive there
   */
  static Path prepare(Path directory) throws IOException {
    Path path = MountTable.resolve(directory);
    for (int i = 0; i < MOST_STACKED; i++) {
      MountTable.Entry top = MountTable.top(path).orElse(null);
      if (top == null || !top.isFuse()) {
        break;
      }
      if (!isDead(path)) {
        throw new IOException(
            "cannot mount on %s: another server (%s, type %s) is alive there: stop it, or unmount it (umount -l %s)"
                .formatted(path, top.source(), top.type(), path));
      }
      log.warn("{} was left by a server that died ({}); detached", path, top.source());
      Mounts.unmount(path, /* lazy= */ true);
    }
    if (!Files.isDirectory(path)) {
      throw new IOException("cannot mount on " + path + ": it is no directory; make it first");
    }
    return path.toRealPath();
  }

  /**
   * Statistics, since the kernel answers those of nothing else: attributes may still be cached. A
   * server that hangs would hang this thread, too, so another one asks.
   */
  static boolean isDead(Path path) throws IOException {
    CompletableFuture<Integer> answer = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("fuse-probe")
        .start(() -> answer.complete(Native.statfs(path.toString())));
    try {
      int result = answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      return result == -ErrnoText.ENOTCONN || result == -ErrnoText.ECONNABORTED;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IOException("cannot ask what is mounted on " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while asking what is mounted on " + path, e);
    }
  }
}
