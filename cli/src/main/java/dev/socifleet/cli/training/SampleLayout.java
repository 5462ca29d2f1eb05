package dev.socifleet.cli.training;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** An OCI image layout of one layer. */
final class SampleLayout {
  private final Path directory;

  private SampleLayout(Path directory) {
    this.directory = directory;
  }

  /** Gives the directory back. */
  static Path write(Path directory, Path layer) throws IOException {
    SampleLayout layout = new SampleLayout(directory);
    Files.createDirectories(directory.resolve("blobs/sha256"));
    byte[] bytes = Files.readAllBytes(layer);
    // Not of what is in the layer, which nobody asks here.
    byte[] config =
        json(
            """
            {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}\
            """
                .formatted(Digest.of(bytes)));
    byte[] manifest =
        json(
            """
            {"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}\
            """
                .formatted(
                    MediaTypes.OCI_MANIFEST,
                    layout.blob(MediaTypes.OCI_CONFIG, config),
                    layout.blob(MediaTypes.OCI_LAYER_GZIP, bytes)));
    String root = layout.blob(MediaTypes.OCI_MANIFEST, manifest);
    Files.write(
        directory.resolve("index.json"),
        json("{\"schemaVersion\":2,\"manifests\":[%s]}".formatted(root)));
    Files.write(directory.resolve("oci-layout"), json("{\"imageLayoutVersion\":\"1.0.0\"}"));
    return directory;
  }

  /** Keeps a blob and gives its descriptor. */
  private String blob(String mediaType, byte[] bytes) throws IOException {
    Digest digest = Digest.of(bytes);
    Files.write(directory.resolve("blobs/sha256").resolve(digest.hex()), bytes);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
        .formatted(mediaType, digest, bytes.length);
  }

  private static byte[] json(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
