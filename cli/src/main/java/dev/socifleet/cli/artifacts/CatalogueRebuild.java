package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.ArtifactStore;
import dev.socifleet.cli.store.Catalogue;
import dev.socifleet.cli.store.ContainerdImage;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.ImageTree;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerPrefetch;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Forgets what isn't in the store any more, and lists the indexes of both versions in it with their
 * zTOCs and prefetch artifacts. What was listed already keeps its time.
 */
final class CatalogueRebuild {
  private static final int SMALLEST = 10;

  private final LocalStores stores;
  private final ArtifactStore artifacts;
  private final Catalogue catalogue;

  /** Image manifest to the image that has it. */
  private final Map<Digest, Owner> owners = new HashMap<>();

  /** SOCI index v2 to the manifest that it belongs to. */
  private final Map<Digest, Digest> manifests = new HashMap<>();

  /** An image target and the platform of a manifest in it. */
  private record Owner(String image, String platform) {}

  CatalogueRebuild(LocalStores stores) {
    this.stores = stores;
    artifacts = stores.artifacts();
    catalogue = stores.catalogue();
  }

  void run() throws IOException {
    for (Artifact.Type type : Artifact.Type.values()) {
      for (Artifact known : catalogue.all(type)) {
        if (artifacts.size(known.digest()).isEmpty()) {
          catalogue.remove(known.digest());
        }
      }
    }
    for (Image image : stores.imagesIfThere()) {
      look(image);
    }
    for (Digest blob : artifacts.list()) {
      OptionalLong size = artifacts.size(blob);
      if (size.isPresent()
          && size.getAsLong() >= SMALLEST
          && size.getAsLong() <= OciJson.LARGEST_MANIFEST) {
        index(blob, artifacts.read(blob, OciJson.LARGEST_MANIFEST));
      }
    }
  }

  private void look(Image image) throws IOException {
    ContainerdImage content = new ContainerdImage(stores.content());
    Digest target = Digest.parse(image.getTarget().getDigest());
    try {
      ManifestBlob blob = content.manifest(target).orElse(null);
      if (blob == null) {
        return;
      }
      for (ImageTree.PlatformImage one : ImageTree.read(blob, content)) {
        owners.putIfAbsent(
            one.descriptor().digest(),
            new Owner(target.toString(), Platforms.text(one.platform())));
      }
      if (MediaTypes.isIndex(blob.mediaType())) {
        for (Descriptor entry : OciJson.index(blob.bytes()).manifests()) {
          String of = entry.annotations().get(SociTerms.MANIFEST_DIGEST_KEY);
          if (entry.artifactType().equals(SociTerms.V2_TYPE) && of != null) {
            manifests.put(entry.digest(), Digest.parse(of));
          }
        }
      }
    } catch (MalformedDocumentException | IllegalArgumentException e) {
      return; // an image that isn't one of ours to understand
    }
  }

  private void index(Digest digest, byte[] bytes) throws IOException {
    if (bytes[0] != '{') {
      return;
    }
    SociIndex index;
    try {
      index = SociIndex.read(bytes);
    } catch (MalformedDocumentException e) {
      return; // another document
    }
    Descriptor subject = index.subject();
    Digest of = subject != null ? subject.digest() : manifests.getOrDefault(digest, digest);
    Owner owner = owners.getOrDefault(of, new Owner("", ""));
    put(
        new Artifact(
            digest,
            bytes.length,
            Artifact.Type.INDEX,
            MediaTypes.OCI_MANIFEST,
            index.version().type(),
            of,
            owner.image(),
            owner.platform(),
            0,
            Instant.now()));
    for (LayerZtoc ztoc : index.ztocs()) {
      blob(ztoc.ztoc(), Artifact.Type.ZTOC, SociTerms.ZTOC_TYPE, ztoc.layer(), ztoc.spanSize());
    }
    for (LayerPrefetch prefetch : index.prefetches()) {
      blob(
          prefetch.artifact(),
          Artifact.Type.PREFETCH,
          SociTerms.PREFETCH_TYPE,
          prefetch.layer(),
          0);
    }
  }

  private void blob(
      Digest digest, Artifact.Type type, String mediaType, Digest layer, long spanSize)
      throws IOException {
    OptionalLong size = artifacts.size(digest);
    if (size.isPresent()) {
      put(
          new Artifact(
              digest,
              size.getAsLong(),
              type,
              mediaType,
              "",
              layer,
              "",
              "",
              spanSize,
              Instant.now()));
    }
  }

  private void put(Artifact artifact) throws IOException {
    if (catalogue.find(artifact.digest()).isEmpty()) {
      catalogue.put(artifact);
    }
  }
}
