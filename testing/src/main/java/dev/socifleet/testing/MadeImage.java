package dev.socifleet.testing;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A small image of linux/amd64 made from directories, in memory.
 *
 * @param diffIds the digests of the layers' tars, base first
 * @param blobs config and layers by digest
 */
public record MadeImage(
    ManifestBlob manifestBlob,
    ImageManifest manifest,
    List<Digest> diffIds,
    Map<Digest, byte[]> blobs) {
  public MadeImage {
    diffIds = List.copyOf(diffIds);
    blobs = Map.copyOf(blobs);
  }

  /**
   * Packs each directory as a gzip layer with owners and extended attributes; needs GNU tar.
   *
   * @param command the program that a container of the image runs
   */
  public static MadeImage of(List<Path> layers, List<String> command)
      throws IOException, InterruptedException {
    Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    List<Digest> diffIds = new ArrayList<>();
    List<Descriptor> descriptors = new ArrayList<>();
    for (Path layer : layers) {
      byte[] tar = tar(layer);
      diffIds.add(Digest.of(tar));
      byte[] gzip = gzip(tar);
      blobs.put(Digest.of(gzip), gzip);
      descriptors.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(gzip), gzip.length));
    }
    byte[] config =
        """
        {"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Cmd":[%s]},\
        "rootfs":{"type":"layers","diff_ids":[%s]}}\
        """
            .formatted(quoted(command), quoted(diffIds))
            .getBytes(StandardCharsets.UTF_8);
    blobs.put(Digest.of(config), config);
    ImageManifest manifest =
        new ImageManifest(
            MediaTypes.OCI_MANIFEST,
            "",
            Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
            descriptors,
            null,
            Map.of());
    byte[] bytes = OciJson.write(manifest);
    return new MadeImage(
        new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes),
        manifest,
        diffIds,
        blobs);
  }

  /** The chain id of a layer (OCI image specification, config.md, "Layer ChainID"). */
  public Digest chainId(int layer) {
    Digest chain = diffIds.getFirst();
    for (Digest next : diffIds.subList(1, layer + 1)) {
      chain = Digest.of((chain + " " + next).getBytes(StandardCharsets.UTF_8));
    }
    return chain;
  }

  /** Uploads it, under a tag if one is given. */
  public void push(Repository repository, @Nullable String tag) throws RegistryException {
    for (Map.Entry<Digest, byte[]> blob : blobs.entrySet()) {
      repository.putBlob(blob.getKey(), blob.getValue().length, BlobContent.of(blob.getValue()));
    }
    repository.putManifest(
        tag == null ? manifestBlob.digest().toString() : tag,
        manifestBlob.mediaType(),
        manifestBlob.bytes());
  }

  /** Writes it as an OCI archive that {@code ctr images import} takes under the name. */
  public void writeArchive(Path file, String name) throws IOException, InterruptedException {
    Path layout = Files.createTempDirectory(file.getParent(), "layout");
    Path content = Files.createDirectories(layout.resolve("blobs/sha256"));
    for (Map.Entry<Digest, byte[]> blob : blobs.entrySet()) {
      Files.write(content.resolve(blob.getKey().hex()), blob.getValue());
    }
    Files.write(content.resolve(manifestBlob.digest().hex()), manifestBlob.bytes());
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    Descriptor entry =
        Descriptor.of(manifestBlob.mediaType(), manifestBlob.digest(), manifestBlob.bytes().length)
            .withAnnotations(Map.of("io.containerd.image.name", name));
    Files.write(
        layout.resolve("index.json"),
        OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(entry), null, Map.of())));
    ContainerdProcess.run(List.of("tar", "-C", layout.toString(), "-cf", file.toString(), "."))
        .success();
  }

  /** Copies a program of this machine with the libraries that it loads. */
  public static void copyProgram(Path program, Path root) throws IOException, InterruptedException {
    copyFile(program, root);
    String libraries = ContainerdProcess.run(List.of("ldd", program.toString())).success();
    for (String line : libraries.lines().toList()) {
      for (String word : line.strip().split("\\s+")) {
        if (word.startsWith("/")) {
          copyFile(Path.of(word), root);
        }
      }
    }
  }

  private static void copyFile(Path file, Path root) throws IOException {
    Path copy = root.resolve(Path.of("/").relativize(file));
    Files.createDirectories(copy.getParent());
    Files.copy(
        file.toRealPath(),
        copy,
        StandardCopyOption.REPLACE_EXISTING,
        StandardCopyOption.COPY_ATTRIBUTES);
  }

  private static byte[] tar(Path directory) throws IOException, InterruptedException {
    Process tar =
        new ProcessBuilder(
                "tar",
                "--numeric-owner",
                "--sort=name",
                "--format=posix",
                "--pax-option=delete=atime,delete=ctime",
                "--xattrs",
                "--xattrs-include=*",
                "-C",
                directory.toString(),
                "-c",
                ".")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    byte[] bytes = tar.getInputStream().readAllBytes();
    if (tar.waitFor() != 0) {
      throw new IOException("tar failed on " + directory);
    }
    return bytes;
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static String quoted(List<?> texts) {
    return texts.stream().map(text -> "\"" + text + "\"").collect(Collectors.joining(","));
  }
}
