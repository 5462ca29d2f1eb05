package dev.socifleet.cli.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.cli.SmallDisk;
import dev.socifleet.cli.Soci;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.testing.ContainerdProcess;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci convert --standalone} that can't come to its end: a full disk, a kill. */
@Timeout(600)
class UnfinishedConvertIT {
  private static final List<String> ALL = List.of("--min-layer-size", "0", "--all-platforms");

  /** Bytes of the layer of {@link #large}: long enough to read that a kill finds it at work. */
  private static final int LARGE = 300 << 20;

  private static final int KILLED = 128 + 9;
  private static final int MOST_LATE = 50;

  @TempDir private Path directory;

  private Path small() throws IOException {
    return new Vectors().copy("single", directory.resolve("in"));
  }

  /** An image of one large layer, a tar of zeros. */
  private Path large() throws IOException {
    Path layout = directory.resolve("in");
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    MessageDigest hash = Digest.newSha256();
    Path file = blobs.resolve("new");
    try (OutputStream out = Files.newOutputStream(file);
        TarArchiveOutputStream tar =
            new TarArchiveOutputStream(new DigestOutputStream(out, hash))) {
      TarArchiveEntry entry = new TarArchiveEntry("zeros");
      entry.setSize(LARGE);
      tar.putArchiveEntry(entry);
      byte[] piece = new byte[1 << 20];
      for (int i = 0; i < LARGE; i += piece.length) {
        tar.write(piece);
      }
      tar.closeArchiveEntry();
    }
    Digest layer = Digest.ofHash(hash.digest());
    long size = Files.size(file);
    Files.move(file, blobs.resolve(layer.hex()));
    Descriptor config =
        put(
            blobs,
            MediaTypes.OCI_CONFIG,
            ("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
                    + "\"diff_ids\":[\""
                    + layer
                    + "\"]}}")
                .getBytes(StandardCharsets.UTF_8));
    Descriptor manifest =
        put(
            blobs,
            MediaTypes.OCI_MANIFEST,
            OciJson.write(
                new ImageManifest(
                    MediaTypes.OCI_MANIFEST,
                    "",
                    config,
                    List.of(Descriptor.of(MediaTypes.OCI_LAYER, layer, size)),
                    null,
                    Map.of())));
    Files.write(
        layout.resolve("index.json"),
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(manifest), null, Map.of())));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return layout;
  }

  private static Descriptor put(Path blobs, String mediaType, byte[] bytes) throws IOException {
    Digest digest = Digest.of(bytes);
    Files.write(blobs.resolve(digest.hex()), bytes);
    return Descriptor.of(mediaType, digest, bytes.length);
  }

  /** The command in a process of its own. */
  private static Process start(String format, Path in, Path out) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Soci.class.getName(),
                "convert",
                "--standalone",
                "--format",
                format));
    command.addAll(ALL);
    command.addAll(List.of(in.toString(), out.toString()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Files and directories in a directory, by their paths from there. */
  private static List<String> tree(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> !file.equals(root))
          .map(f -> root.relativize(f).toString())
          .toList();
    }
  }

  /**
   * Kills a conversion at a moment. One that had already put its output into its place, which must
   * be whole then, is begun again.
   */
  private void killWhen(String format, Path in, Path place, String what) throws Exception {
    Path out = place.resolve("out");
    for (int late = 0; late < MOST_LATE; late++) {
      Process process = start(format, in, out);
      try {
        await()
            .atMost(Duration.ofMinutes(3))
            .pollInterval(Duration.ofMillis(1))
            .until(() -> !process.isAlive() || exists(place, what));
      } finally {
        process.destroyForcibly();
      }
      assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
      if (!Files.exists(out)) {
        assertThat(process.exitValue()).as("killed").isEqualTo(KILLED);
        return;
      }
      assertWhole(out);
      ContainerdProcess.run(List.of("rm", "-r", out.toString())).success();
    }
    throw new AssertionError("it always ended before it could be killed at " + what);
  }

  /** Whether it can be converted again, every byte of it. */
  private void assertWhole(Path output) throws IOException {
    Path again = Files.createTempDirectory(directory, "again");
    assertThat(RunConvert.standalone("oci-dir", output, again, ALL).failure()).isEmpty();
  }

  private static boolean exists(Path place, String what) {
    try {
      return tree(place).stream().anyMatch(path -> path.matches(what));
    } catch (IOException | java.io.UncheckedIOException e) {
      return false; // it changes while it is looked at
    }
  }

  @Test
  void whatAKillLeavesIsGoneAfterTheNextRun() throws Exception {
    Path in = large();
    String layer;
    try (Stream<Path> blobs = Files.list(in.resolve("blobs/sha256"))) {
      layer =
          blobs
              .filter(blob -> blob.toFile().length() > LARGE)
              .findFirst()
              .orElseThrow()
              .getFileName()
              .toString();
    }
    for (String format : List.of("oci-dir", "oci-archive")) {
      Path place = Files.createDirectory(directory.resolve(format));
      Path out = place.resolve("out");
      // While the layer is read, and while everything is put together.
      for (String moment : List.of("lock", "(image\\.tar|layout/blobs/sha256/" + layer + ")")) {
        killWhen(format, in, place, "\\.out\\.soci-[^/]*/" + moment);
        assertThat(out).doesNotExist();
        assertThat(tree(place)).isNotEmpty();
      }

      Ended again = RunConvert.standalone(format, in, out, ALL);

      assertThat(again.failure()).isEmpty();
      try (Stream<Path> files = Files.list(place)) {
        assertThat(files).containsExactly(out);
      }
      assertWhole(out);
    }
  }

  @Test
  void aLayoutThatAKillFoundBetweenTwoPlacesComesBack() throws Exception {
    Path in = small();
    Path out = directory.resolve("place/out");
    assertThat(RunConvert.standalone("oci-dir", in, out, ALL).failure()).isEmpty();
    List<String> whole = tree(out);
    // As it is between the two moves by which a layout takes the place of another.
    Path draft = Files.createDirectory(out.resolveSibling(".out.soci-1"));
    Files.createFile(draft.resolve("lock"));
    Files.move(out, draft.resolve("before"));

    Ended ended = RunConvert.standalone("oci-dir", directory.resolve("absent"), out, ALL);

    assertThat(ended.failure()).contains("no such file");
    assertThat(tree(out)).containsExactlyInAnyOrderElementsOf(whole);
    assertThat(out.getParent()).isDirectoryNotContaining("glob:**.soci-*");
  }

  @Test
  void theDraftOfAProcessThatLivesIsLeftAlone() throws Exception {
    Path in = large();
    Path place = Files.createDirectory(directory.resolve("place"));
    Path out = place.resolve("out");
    Process process = start("oci-dir", in, out);
    try {
      await()
          .atMost(Duration.ofMinutes(3))
          .pollInterval(Duration.ofMillis(1))
          .until(() -> exists(place, "\\.out\\.soci-[^/]*/lock"));
      RunConvert.standalone("oci-dir", directory.resolve("absent"), out, ALL);
      assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
    assertThat(tree(place)).contains("out/index.json").noneMatch(path -> path.startsWith("."));
  }

  @Test
  void aFullDiskIsSaidAndLeftAsItWas() throws Exception {
    Path in = small();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 256)) {
      for (String format : List.of("oci-dir", "oci-archive")) {
        Ended ended = RunConvert.standalone(format, in, disk.path().resolve("out"), ALL);

        assertThat(ended.exit()).isEqualTo(1);
        assertThat(ended.failure())
            .contains(disk.path().toString(), "No space left on device", "make room")
            .hasLineCount(1);
        assertThat(tree(disk.path())).isEmpty();
      }
    }
  }
}
