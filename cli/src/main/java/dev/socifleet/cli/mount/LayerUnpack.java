package dev.socifleet.cli.mount;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Downloads a layer and unpacks it into a directory that overlayfs can take as a lower directory:
 * tar does the unpacking (owners, modes, devices, extended attributes), then whiteouts become what
 * overlayfs reads, character devices 0/0 and {@code trusted.overlay.opaque} (OCI image
 * specification, layer.md, "Whiteouts"). Needs root.
 */
public final class LayerUnpack {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";

  private LayerUnpack() {}

  /**
   * Unpacks into {@code target}, which must be empty; the blob's digest was checked when this
   * returns.
   */
  public static void unpack(Repository repository, Descriptor layer, Path target)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "tar",
                "-x",
                "-p",
                "--same-owner",
                "--numeric-owner",
                "--xattrs",
                "--xattrs-include=*"));
    if (layer.mediaType().endsWith("gzip")) {
      command.add("-z");
    }
    command.addAll(List.of("-C", target.toString()));
    Process tar = new ProcessBuilder(command).redirectErrorStream(true).start();
    var output = new StringBuilder();
    Thread reader =
        Thread.ofVirtual()
            .start(() -> {
              try (InputStream from = tar.getInputStream()) {
                output.append(new String(from.readNBytes(4096), StandardCharsets.UTF_8));
                from.transferTo(OutputStream.nullOutputStream());
              } catch (IOException e) {
                output.append(e.getMessage());
              }
            });
    try (InputStream blob = repository.openBlob(layer.digest());
        OutputStream to = tar.getOutputStream()) {
      blob.transferTo(to);
    } catch (IOException e) {
      tar.destroy();
      reader.join();
      throw new IOException(
          "cannot unpack layer " + layer.digest() + ": " + e.getMessage() + said(output), e);
    }
    int exit = tar.waitFor();
    reader.join();
    if (exit != 0) {
      throw new IOException(
          "cannot unpack layer " + layer.digest() + ": tar ended with " + exit + said(output));
    }
    convertWhiteouts(target);
  }

  private static void convertWhiteouts(Path target) throws IOException, InterruptedException {
    List<Path> marks;
    try (Stream<Path> all = Files.walk(target)) {
      marks = all.filter(path -> path.getFileName().toString().startsWith(WHITEOUT)).toList();
    }
    for (Path mark : marks) {
      Path directory = mark.getParent();
      String name = mark.getFileName().toString();
      Files.delete(mark);
      if (name.equals(OPAQUE)) {
        run("setfattr", "-n", "trusted.overlay.opaque", "-v", "y", directory.toString());
      } else {
        run(
            "mknod",
            directory.resolve(name.substring(WHITEOUT.length())).toString(),
            "c",
            "0",
            "0");
      }
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readNBytes(1000), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + said);
    }
  }

  private static String said(StringBuilder output) {
    String text = output.toString().strip();
    return text.isEmpty() ? "" : ": " + text.lines().findFirst().orElse("");
  }
}
