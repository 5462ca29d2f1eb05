package dev.socifleet.cli.demo;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What the lazy start is compared with: an image pulled as containerd does it, three layers
 * downloaded at a time into files whose digests are checked, each unpacked by tar as soon as it is
 * there and those below it are unpacked. For images without whiteouts, as the demo's is. Needs
 * root.
 */
final class FullPull {
  private static final int DOWNLOADS_AT_ONCE = 3;

  private FullPull() {}

  /**
   * Pulls an image into {@code root}.
   *
   * @param downloads an empty directory for the layers' files
   */
  static void pull(Repository repository, String tag, Path downloads, Path root)
      throws IOException, InterruptedException {
    Files.createDirectories(downloads);
    Files.createDirectories(root);
    ImageManifest manifest =
        OciJson.manifest(
            repository
                .manifest(tag)
                .orElseThrow(() -> new IOException(repository.name() + ":" + tag + " is gone"))
                .bytes());
    List<Future<Path>> layers = new ArrayList<>();
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            DOWNLOADS_AT_ONCE, Thread.ofVirtual().name("download-", 0).factory())) {
      try {
        for (Descriptor layer : manifest.layers()) {
          layers.add(threads.submit(() -> download(repository, layer, downloads)));
        }
        for (Future<Path> layer : layers) {
          unpack(layer.get(), root);
        }
      } catch (ExecutionException e) {
        throw new IOException("the full pull failed: " + e.getMessage(), e);
      } finally {
        threads.shutdownNow();
      }
    }
  }

  private static Path download(Repository repository, Descriptor layer, Path downloads)
      throws IOException {
    Path file = downloads.resolve(layer.digest().hex());
    try (InputStream blob = repository.openBlob(layer.digest())) {
      Files.copy(blob, file);
    }
    return file;
  }

  static void unpack(Path layer, Path root) throws IOException, InterruptedException {
    Process tar =
        new ProcessBuilder(
                "tar",
                "-xzpf",
                layer.toString(),
                "--same-owner",
                "--numeric-owner",
                "-C",
                root.toString())
            .redirectErrorStream(true)
            .start();
    try {
      tar.getOutputStream().close();
      String said =
          new String(tar.getInputStream().readNBytes(4096), StandardCharsets.UTF_8).strip();
      if (tar.waitFor() != 0) {
        throw new IOException(
            "tar could not unpack a layer: " + said.lines().findFirst().orElse("no reason given"));
      }
    } finally {
      tar.destroyForcibly();
    }
  }
}
