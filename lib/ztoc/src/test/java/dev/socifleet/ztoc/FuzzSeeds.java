package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.streams.OddStreams;
import dev.socifleet.ztoc.streams.Stream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Writes what fuzzing starts from into {@code src/test/resources/fuzz}: small streams, archives and
 * zTOCs of the tests. What fuzzing found worth keeping stands beside them.
 */
final class FuzzSeeds {
  private static final Path FOLDER = Path.of("src/test/resources/fuzz");
  private static final int GZIP_HEADER = 10;
  private static final int LARGEST = 9000;

  private FuzzSeeds() {}

  /** From the module's folder. */
  public static void main(String[] arguments) throws Exception {
    for (Stream stream : OddStreams.all()) {
      streams(stream.name(), stream.bytes());
    }
    try (var layers = Files.newDirectoryStream(Path.of("src/test/resources/layers"))) {
      for (Path path : layers) {
        layer(path);
      }
    }
  }

  private static void streams(String name, byte[] bytes) throws IOException {
    if (bytes.length < GZIP_HEADER || bytes.length > LARGEST) {
      return;
    }
    write("gzip", name, new byte[] {3, 7}, bytes);
    if (bytes[3] == 0) {
      byte[] blocks = Arrays.copyOfRange(bytes, GZIP_HEADER, bytes.length);
      write("inflate", name, new byte[] {1, 7}, blocks);
    }
  }

  private static void layer(Path path) throws IOException {
    String name = path.getFileName().toString().replaceFirst("\\.tar(\\.gz)?$", "");
    byte[] layer = Files.readAllBytes(path);
    Compression compression = TestLayers.compressionOf(path.toString());
    if (compression == Compression.GZIP) {
      streams(name, layer);
    }
    byte[] tar;
    try {
      tar = TestLayers.tar(layer, compression);
    } catch (RuntimeException e) {
      return;
    }
    if (tar.length > 3 * LARGEST) {
      return;
    }
    write("tar", name, new byte[] {1, 3}, tar);
    write("layer", name, new byte[] {6, 30, 1, 0}, tar);
    ZtocOutcome outcome = TestLayers.build(tar, Compression.UNCOMPRESSED, 2000);
    if (outcome instanceof ZtocOutcome.Built built && built.bytes().length < LARGEST) {
      write("ztoc", name, new byte[0], built.bytes());
      write("ztoc", name + "-old", new byte[0], withoutWindows(built));
    }
  }

  /** A zTOC of one span as the first version had them, so that it has no 32 KiB of window. */
  private static byte[] withoutWindows(ZtocOutcome.Built built) {
    ZtocWriter writer = new ZtocWriter("seed", LARGEST);
    FileList files = new FileList();
    return writer.finish(
        writer.toc(files),
        Checkpoints.HEAD,
        to -> to.putInt(1).putLong(4 << 20),
        List.of(new byte[32]),
        0,
        Compression.GZIP,
        built.compressedBytes() + Inflate.WINDOW,
        built.uncompressedBytes());
  }

  private static void write(String target, String name, byte[] head, byte[] bytes)
      throws IOException {
    ByteArrayOutputStream seed = new ByteArrayOutputStream();
    seed.writeBytes(head);
    seed.writeBytes(bytes);
    Path folder = Files.createDirectories(FOLDER.resolve(target));
    Files.write(folder.resolve(name), seed.toByteArray());
  }
}
