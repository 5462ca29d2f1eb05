package dev.socifleet.testing;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;

/** Puts an image of linux/amd64 into a repository, whatever its layers hold. */
public final class RawImage {
  private RawImage() {}

  /** A gzip layer of files whose bytes half compress: some 500 kB that inflate to 800 kB. */
  public static byte[] tarGzip(long seed) throws IOException {
    Random random = new Random(seed);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      for (int i = 0; i < 20; i++) {
        byte[] content = new byte[40_000];
        random.nextBytes(content);
        for (int at = 0; at < content.length; at += 2) {
          content[at] = (byte) i;
        }
        var entry = new TarArchiveEntry("file" + i);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  /** Uploads a blob, and describes it as a gzip layer, which it need not be. */
  public static Descriptor layer(Repository repository, byte[] bytes) throws RegistryException {
    return blob(repository, MediaTypes.OCI_LAYER_GZIP, bytes);
  }

  /**
   * Uploads config and manifest of an image.
   *
   * @param tag null to push it by its digest
   */
  public static ManifestBlob push(
      Repository repository, @Nullable String tag, List<Descriptor> layers)
      throws RegistryException {
    byte[] config =
        "{\"architecture\":\"amd64\",\"os\":\"linux\"}".getBytes(StandardCharsets.UTF_8);
    return push(repository, tag, blob(repository, MediaTypes.OCI_CONFIG, config), layers);
  }

  /** Uploads a manifest with a config that is there already. */
  public static ManifestBlob push(
      Repository repository, @Nullable String tag, Descriptor config, List<Descriptor> layers)
      throws RegistryException {
    byte[] bytes =
        OciJson.write(
            new ImageManifest(MediaTypes.OCI_MANIFEST, "", config, layers, null, Map.of()));
    Digest digest = Digest.of(bytes);
    repository.putManifest(tag == null ? digest.toString() : tag, MediaTypes.OCI_MANIFEST, bytes);
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, digest, bytes);
  }

  /** Uploads a blob and describes it. */
  public static Descriptor blob(Repository repository, String mediaType, byte[] bytes)
      throws RegistryException {
    Digest digest = Digest.of(bytes);
    repository.putBlob(digest, bytes.length, BlobContent.of(bytes));
    return Descriptor.of(mediaType, digest, bytes.length);
  }
}
