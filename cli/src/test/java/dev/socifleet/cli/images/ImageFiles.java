package dev.socifleet.cli.images;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.testing.ContainerdProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** An OCI image layout in a directory. */
record ImageFiles(Path directory) {
  /** Begins one. */
  static ImageFiles create(Path directory) throws IOException {
    Files.createDirectories(directory.resolve("blobs/sha256"));
    Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    return new ImageFiles(directory);
  }

  /** Unpacks one, which mustn't hold anything but a layout. */
  static ImageFiles ofArchive(Path tar, Path directory) throws Exception {
    Files.createDirectories(directory);
    ContainerdProcess.run(List.of("tar", "-C", directory.toString(), "-xf", tar.toString()))
        .success();
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("blobs", "index.json", "oci-layout");
    }
    return new ImageFiles(directory);
  }

  /**
   * Makes one of what {@code skopeo copy … dir:} wrote: manifests and blobs as they were at their
   * source, in whatever format.
   */
  static ImageFiles ofSkopeoDirectory(Path from, Path directory) throws IOException {
    ImageFiles made = create(directory);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        if (!file.getFileName().toString().equals("version")) {
          made.put("application/octet-stream", Files.readAllBytes(file));
        }
      }
    }
    byte[] root = Files.readAllBytes(from.resolve("manifest.json"));
    made.finish(Descriptor.of(OciJson.mediaTypeOf(root), Digest.of(root), root.length));
    return made;
  }

  /** Makes one of an image at a registry, as it is there. */
  static ImageFiles ofRepository(Repository repository, String tag, Path directory)
      throws IOException {
    ImageFiles made = create(directory);
    ManifestBlob root = repository.manifest(tag).orElseThrow();
    made.pull(repository, root);
    made.finish(Descriptor.of(root.mediaType(), root.digest(), root.bytes().length));
    return made;
  }

  private void pull(Repository repository, ManifestBlob document) throws IOException {
    put(document.mediaType(), document.bytes());
    if (MediaTypes.isIndex(document.mediaType())) {
      for (Descriptor child : OciJson.index(document.bytes()).manifests()) {
        pull(repository, repository.manifest(child.digest().toString()).orElseThrow());
      }
      return;
    }
    ImageManifest manifest = OciJson.manifest(document.bytes());
    for (Descriptor blob :
        Stream.concat(Stream.of(manifest.config()), manifest.layers().stream()).toList()) {
      if (blob.urls().isEmpty()) {
        try (InputStream in = repository.openBlob(blob.digest())) {
          put(blob.mediaType(), in.readAllBytes());
        }
      }
    }
  }

  private Path file(Digest blob) {
    return directory.resolve("blobs").resolve(blob.algorithm()).resolve(blob.hex());
  }

  Descriptor put(String mediaType, byte[] bytes) throws IOException {
    Digest digest = Digest.of(bytes);
    Files.write(file(digest), bytes);
    return Descriptor.of(mediaType, digest, bytes.length);
  }

  void finish(Descriptor root) throws IOException {
    Files.write(
        directory.resolve("index.json"),
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(root), null, Map.of())));
  }

  byte[] top(String name) throws IOException {
    return Files.readAllBytes(directory.resolve(name));
  }

  /** The only image. */
  Descriptor root() throws IOException {
    List<Descriptor> entries = OciJson.index(top("index.json")).manifests();
    assertThat(entries).hasSize(1);
    return entries.getFirst();
  }

  Optional<byte[]> find(Digest blob) throws IOException {
    return Files.exists(file(blob))
        ? Optional.of(Files.readAllBytes(file(blob)))
        : Optional.empty();
  }

  byte[] read(Digest blob) throws IOException {
    return find(blob).orElseThrow(() -> new IOException(blob + " isn't in " + directory));
  }

  /** A file with the blob's bytes. */
  Path path(Digest blob) {
    return file(blob);
  }

  /** A document as people write it: indented. */
  static byte[] indented(byte[] json) throws IOException {
    return new JsonMapper()
        .readTree(json)
        .toPrettyString()
        .concat("\n")
        .getBytes(StandardCharsets.UTF_8);
  }
}
