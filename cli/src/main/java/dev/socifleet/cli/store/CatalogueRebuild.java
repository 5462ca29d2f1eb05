package dev.socifleet.cli.store;

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
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Lists the indexes of both versions that are in the store, with their zTOCs and prefetch
 * artifacts. What was listed already keeps its time; what is new has that of its blob.
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

  private int added;

  /** An image target and the platform of a manifest in it. */
  private record Owner(String image, String platform) {}

  CatalogueRebuild(LocalStores stores) {
    this.stores = stores;
    artifacts = stores.artifacts();
    catalogue = stores.ownCatalogue();
  }

  /** Forgets what isn't in the store any more. */
  void forget() throws IOException {
    for (Artifact.Type type : Artifact.Type.values()) {
      for (Artifact known : catalogue.all(type)) {
        if (artifacts.size(known.digest()).isEmpty()) {
          catalogue.remove(known.digest());
        }
      }
    }
  }

  /**
   * Adds what isn't listed.
   *
   * @return how many artifacts that were
   */
  int find() throws IOException {
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
    return added;
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
            artifacts.created(digest)));
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
              artifacts.created(digest)));
    }
  }

  private void put(Artifact artifact) throws IOException {
    if (catalogue.find(artifact.digest()).isEmpty()) {
      catalogue.put(artifact);
      added++;
    }
  }
}
