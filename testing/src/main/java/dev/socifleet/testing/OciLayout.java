package dev.socifleet.testing;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;

/**
 * An image of linux/amd64 in an OCI image layout, layer by layer, of any size: nothing is held in
 * memory. Needs GNU tar for directories.
 */
public final class OciLayout {
  private final Path directory;
  private final List<Descriptor> layers = new ArrayList<>();
  private final List<String> diffIds = new ArrayList<>();

  public OciLayout(Path directory) throws IOException {
    this.directory = directory;
    Files.createDirectories(directory.resolve("blobs/sha256"));
    Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  public Path directory() {
    return directory;
  }

  public List<Descriptor> layers() {
    return List.copyOf(layers);
  }

  /** Bytes of all layers. */
  public long layerBytes() {
    return layers.stream().mapToLong(Descriptor::size).sum();
  }

  /** The name of the snapshot with all layers (image specification, config, "Layer ChainID"). */
  public String chainId() {
    return diffIds.stream()
        .reduce((below, layer) ->
            Digest.of((below + " " + layer).getBytes(StandardCharsets.UTF_8)).toString())
        .orElseThrow();
  }

  /** Adds a directory as a gzip layer, with owners, devices and extended attributes. */
  public OciLayout addDirectory(Path root) throws IOException, InterruptedException {
    Process tar =
        new ProcessBuilder(
                List.of(
                    "tar",
                    "--numeric-owner",
                    "--sort=name",
                    "--format=posix",
                    "--pax-option=delete=atime,delete=ctime",
                    "--xattrs",
                    "--xattrs-include=*",
                    "-C",
                    root.toString(),
                    "-c",
                    "."))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (InputStream bytes = tar.getInputStream()) {
      addTar(bytes);
    }
    if (tar.waitFor() != 0) {
      throw new IOException("tar failed on " + root);
    }
    return this;
  }

  /** Adds a tar as a gzip layer. */
  public OciLayout addTar(InputStream tar) throws IOException {
    Path file = directory.resolve("blobs/new");
    MessageDigest uncompressed = Digest.newSha256();
    MessageDigest compressed = Digest.newSha256();
    try (OutputStream out = Files.newOutputStream(file);
        OutputStream gzip = new GZIPOutputStream(new DigestOutputStream(out, compressed), 1 << 16);
        OutputStream all = new DigestOutputStream(gzip, uncompressed)) {
      tar.transferTo(all);
    }
    Digest blob = Digest.ofHash(compressed.digest());
    layers.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, blob, Files.size(file)));
    diffIds.add(Digest.ofHash(uncompressed.digest()).toString());
    Files.move(file, directory.resolve("blobs/sha256/" + blob.hex()));
    return this;
  }

  /**
   * Ends the image.
   *
   * @param command the program that a container runs
   * @return the digest of its manifest
   */
  public Digest finish(String tag, List<String> command) throws IOException {
    Descriptor config =
        put(
            """
            {"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Cmd":[%s]},\
            "rootfs":{"type":"layers","diff_ids":[%s]}}\
            """
                .formatted(quoted(command), quoted(diffIds))
                .getBytes(StandardCharsets.UTF_8),
            MediaTypes.OCI_CONFIG);
    byte[] manifest =
        OciJson.write(
            new ImageManifest(MediaTypes.OCI_MANIFEST, "", config, layers, null, Map.of()));
    Descriptor image =
        put(manifest, MediaTypes.OCI_MANIFEST)
            .withAnnotations(Map.of("org.opencontainers.image.ref.name", tag));
    Files.write(
        directory.resolve("index.json"),
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(image), null, Map.of())));
    return image.digest();
  }

  private Descriptor put(byte[] bytes, String mediaType) throws IOException {
    Digest digest = Digest.of(bytes);
    Files.write(directory.resolve("blobs/sha256/" + digest.hex()), bytes);
    return Descriptor.of(mediaType, digest, bytes.length);
  }

  private static String quoted(List<String> texts) {
    return texts.stream()
        .map(text -> "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
        .collect(Collectors.joining(","));
  }
}
