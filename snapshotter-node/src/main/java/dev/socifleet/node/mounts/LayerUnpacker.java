package dev.socifleet.node.mounts;

import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.FetchCounts.Content;
import dev.socifleet.node.fetch.FetchCounts.Source;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Repository;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads a whole layer and unpacks it as a lower directory of overlayfs, with GNU tar: the JDK
 * makes no devices and sets no attributes such as {@code security.capability}. tar doesn't leave
 * the directory, whatever the names and links in a layer: it refuses names that lead upwards and
 * makes links that could lead out only when everything else is written. Thread-safe.
 */
final class LayerUnpacker {
  private static final Logger log = LoggerFactory.getLogger(LayerUnpacker.class);
  private static final int PIECE = 64 << 10;
  private static final int LONGEST_COMPLAINT = 4 << 10;

  private final FetchCounts counts;
  private final StallGuard stalls;
  private final long mostBytes;

  /**
   * @param mostBytes of a layer's tar, uncompressed
   */
  LayerUnpacker(FetchCounts counts, StallGuard stalls, long mostBytes) {
    this.counts = counts;
    this.stalls = stalls;
    this.mostBytes = mostBytes;
  }

  /**
   * Fills an empty directory.
   *
   * @throws UnmountableException the layer is nothing that this node can unpack
   * @throws IOException it can't be read or written now
   */
  void unpack(Repository repository, Descriptor layer, Path directory)
      throws IOException, UnmountableException {
    String what = "layer " + layer.digest() + " (" + repository.name() + ")";
    counts.request(Source.REGISTRY, Content.LAYERS);
    try (InputStream blob = counted(stalls.guard(repository.openBlob(layer.digest()), what));
        InputStream tar = decompressed(blob)) {
      extract(tar, directory, what);
      // To its end, where the digest of the blob is checked.
      blob.transferTo(OutputStream.nullOutputStream());
    } catch (UnmountableException e) {
      throw new UnmountableException("cannot unpack " + what + ": " + e.getMessage());
    }
  }

  private InputStream counted(InputStream body) {
    return new FilterInputStream(body) {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        int count = super.read(into, offset, length);
        counts.bytes(Source.REGISTRY, Content.LAYERS, Math.max(0, count));
        return count;
      }
    };
  }

  /** By what the bytes are, for media types aren't reliable. */
  private static InputStream decompressed(InputStream blob)
      throws IOException, UnmountableException {
    BufferedInputStream buffered = new BufferedInputStream(blob, PIECE);
    buffered.mark(4);
    byte[] start = buffered.readNBytes(4);
    buffered.reset();
    if (start.length >= 2 && (start[0] & 0xff) == 0x1f && (start[1] & 0xff) == 0x8b) {
      return GzipCompressorInputStream.builder()
          .setInputStream(buffered)
          .setDecompressConcatenated(true)
          .get();
    }
    if (start.length == 4 && start[0] == 0x28 && (start[1] & 0xff) == 0xb5) {
      throw new UnmountableException(
          "it is compressed with zstd, which this release does not unpack");
    }
    return buffered;
  }

  private void extract(InputStream tar, Path directory, String what)
      throws IOException, UnmountableException {
    Process process = start(directory);
    try {
      Optional<IOException> refused = Optional.empty();
      StringBuilder complaints = new StringBuilder();
      Thread listener = Thread.startVirtualThread(() -> listen(process, complaints));
      try (OutputStream out = process.getOutputStream()) {
        rewrite(tar, out);
      } catch (TarEndedException e) {
        refused = Optional.of(e);
      }
      int status = process.waitFor();
      listener.join();
      if (status != 0 || refused.isPresent()) {
        throw new UnmountableException("tar ended with status " + status + ": " + complaints);
      }
      if (!complaints.isEmpty()) {
        log.warn("tar said of {}: {}", what, complaints);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("unpacking " + what + " was interrupted");
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process start(Path directory) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                "tar",
                "--extract",
                "--file=-",
                "--directory=" + directory,
                "--numeric-owner",
                "--same-owner",
                "--preserve-permissions",
                "--delay-directory-restore",
                "--xattrs",
                "--xattrs-include=*",
                "--warning=no-timestamp",
                "--warning=no-unknown-keyword"));
    String path = System.getenv("PATH");
    builder.environment().clear(); // TAR_OPTIONS among others
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("PATH", path == null ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new IOException(
          "cannot run tar to unpack a layer: " + e.getMessage() + ": install GNU tar", e);
    }
  }

  /** tar has ended before its input did; it has said why. */
  private static final class TarEndedException extends IOException {
    TarEndedException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private void rewrite(InputStream tar, OutputStream out) throws IOException, UnmountableException {
    OutputStream buffered =
        new BufferedOutputStream(
            new FilterOutputStream(out) {
              @Override
              public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                  out.write(bytes, offset, length);
                  out.flush();
                } catch (IOException e) {
                  throw new TarEndedException(e);
                }
              }
            },
            PIECE);
    OverlayTar rewritten = new OverlayTar(buffered);
    byte[] piece = new byte[PIECE];
    long total = 0;
    for (int n = tar.read(piece); n >= 0; n = tar.read(piece)) {
      total += n;
      if (total > mostBytes) {
        throw new UnmountableException(
            "it unpacks to more than unpack-limit, " + mostBytes + " bytes");
      }
      rewritten.accept(piece, 0, n);
    }
    rewritten.finish();
    buffered.flush();
  }

  private static void listen(Process process, StringBuilder complaints) {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (InputStream errors = process.getErrorStream()) {
      byte[] piece = new byte[1024];
      for (int n = errors.read(piece); n >= 0; n = errors.read(piece)) {
        said.write(piece, 0, Math.min(n, LONGEST_COMPLAINT - said.size()));
      }
    } catch (IOException e) {
      log.debug("reading what tar says failed: {}", e.toString());
    }
    complaints.append(said.toString(StandardCharsets.UTF_8).strip().replace("\n", "; "));
  }
}
