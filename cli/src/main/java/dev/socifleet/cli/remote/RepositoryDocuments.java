package dev.socifleet.cli.remote;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.ImageTree;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Manifests and configs of a repository; each is asked for once. Thread-safe. */
public final class RepositoryDocuments implements ImageTree.Documents {
  private final Repository repository;
  private final Map<Digest, Optional<ManifestBlob>> manifests = new ConcurrentHashMap<>();
  private final Map<Digest, byte[]> configs = new ConcurrentHashMap<>();

  public RepositoryDocuments(Repository repository) {
    this.repository = repository;
  }

  @Override
  public Optional<ManifestBlob> manifest(Digest digest) throws IOException {
    Optional<ManifestBlob> known = manifests.get(digest);
    if (known == null) {
      known = repository.manifest(digest.toString());
      manifests.put(digest, known);
    }
    return known;
  }

  @Override
  public byte[] config(Descriptor config) throws IOException {
    byte[] known = configs.get(config.digest());
    if (known == null) {
      known = read(config);
      configs.put(config.digest(), known);
    }
    return known;
  }

  private byte[] read(Descriptor config) throws IOException {
    try (InputStream body = repository.openBlob(config.digest())) {
      byte[] bytes = body.readNBytes(ImageTree.LARGEST_CONFIG + 1);
      if (bytes.length > ImageTree.LARGEST_CONFIG) {
        throw new IOException(
            "image config "
                + config.digest()
                + " is larger than "
                + ImageTree.LARGEST_CONFIG
                + " bytes");
      }
      return bytes;
    }
  }
}
