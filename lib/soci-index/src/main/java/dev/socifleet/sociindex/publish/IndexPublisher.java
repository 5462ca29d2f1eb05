package dev.socifleet.sociindex.publish;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.V2Conversion;
import dev.socifleet.sociindex.V2Conversion.Converted;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Publishes indexes whose zTOCs are in the repository already. Every write is idempotent; what is
 * referred to is there before what refers to it.
 */
public final class IndexPublisher {
  private final Repository repository;

  public IndexPublisher(Repository repository) {
    this.repository = repository;
  }

  /** The config blob that every index refers to. */
  public void putConfig() throws RegistryException {
    byte[] config = SociTerms.emptyConfig();
    repository.putBlob(SociTerms.emptyConfigDigest(), config.length, BlobContent.of(config));
  }

  /**
   * Publishes a v1 index as a referrer of its image.
   *
   * @return empty, or why the registry takes no such thing at all; what may pass is thrown
   */
  public Optional<String> v1(Digest image, ManifestBlob index) throws RegistryException {
    try {
      repository.putReferrer(image, index);
      return Optional.empty();
    } catch (RegistryException e) {
      if (e.temporary() || e.denied() || e.codes().contains("MANIFEST_BLOB_UNKNOWN")) {
        throw e;
      }
      return Optional.of("the registry refuses v1: " + e.getMessage());
    }
  }

  /** Converts an image and stores indexes and manifests, but tags nothing. */
  public Converted v2(ManifestBlob target, V2Conversion.Documents documents, List<Indexed> indexed)
      throws IOException {
    for (Indexed one : indexed) {
      put(one.index());
    }
    Converted converted = V2Conversion.convert(target, documents, indexed);
    for (ManifestBlob manifest : converted.manifests()) {
      put(manifest);
    }
    put(converted.root());
    return converted;
  }

  private void put(ManifestBlob manifest) throws RegistryException {
    repository.putManifest(manifest.digest().toString(), manifest.mediaType(), manifest.bytes());
  }

  /** Tags a converted image, and looks whether the tag stayed. */
  public void tag(String tag, ManifestBlob converted) throws RegistryException {
    if (pointsAt(tag, converted.digest())) {
      return;
    }
    repository.putManifest(tag, MediaTypes.OCI_INDEX, converted.bytes());
    if (!pointsAt(tag, converted.digest())) {
      throw new RegistryException(
          "cannot tag "
              + tag
              + " ("
              + repository.name()
              + "): it points elsewhere after it was written",
          0,
          List.of(),
          true,
          null,
          null);
    }
  }

  /** Whether a tag means this manifest now. */
  public boolean pointsAt(String tag, Digest digest) throws RegistryException {
    return repository.headManifest(tag).map(Descriptor::digest).equals(Optional.of(digest));
  }
}
