package dev.socifleet.node.images;

import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.images.ImageResolution.Discovered;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.IndexDiscovery;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Finds an image's index at its registry, and says why where there is none to be had. */
final class IndexSearch {
  // overlayfs takes no more lower directories (OVL_MAX_STACK in the kernel's fs/overlayfs).
  private static final int MOST_LAYERS = 500;

  private final Repositories repositories;
  private final ImageRules rules;

  IndexSearch(Repositories repositories, ImageRules rules) {
    this.repositories = repositories;
    this.rules = rules;
  }

  Discovered find(ImageId id) {
    try {
      return search(id);
    } catch (RegistryException e) {
      if (e.denied()) {
        repositories.forget(id.repository());
      }
      return new Discovered.None(failure(e));
    }
  }

  /** What a failed request to the registry means for a layer. */
  static Outcome failure(RegistryException e) {
    Reason reason = e.denied() ? Reason.DENIED : e.temporary() ? Reason.TEMPORARY : Reason.BROKEN;
    return Outcome.not(reason, String.valueOf(e.getMessage()));
  }

  private Discovered search(ImageId id) throws RegistryException {
    if (id.index() == null && rules.versions().isEmpty()) {
      return none(Reason.NO_INDEX, "looking for indexes is switched off (pull_modes)");
    }
    Repository repository;
    try {
      repository = repositories.get(id.repository());
    } catch (RegistryException e) {
      return none(
          e.temporary() ? Reason.TEMPORARY : Reason.NOT_ALLOWED, String.valueOf(e.getMessage()));
    }
    Optional<ManifestBlob> blob = repository.manifest(id.manifest().toString());
    if (blob.isEmpty()) {
      return none(
          Reason.NO_INDEX, id.repository() + " has no manifest " + id.manifest() + " (any more)");
    }
    if (MediaTypes.isIndex(blob.get().mediaType())) {
      return none(
          Reason.LABELS, id.manifest() + " is an image index, not the manifest of an image");
    }
    ImageManifest manifest;
    try {
      manifest = OciJson.manifest(blob.get().bytes());
    } catch (MalformedDocumentException e) {
      return none(Reason.BROKEN, "manifest " + id.manifest() + ": " + e.getMessage());
    }
    if (manifest.layers().size() > MOST_LAYERS) {
      return none(
          Reason.UNSERVABLE,
          "the image has "
              + manifest.layers().size()
              + " layers; overlayfs takes at most "
              + MOST_LAYERS);
    }
    Optional<IndexDiscovery.Found> found =
        IndexDiscovery.find(repository, blob.get(), id.index(), rules.versions());
    if (found.isEmpty()) {
      return none(
          Reason.NO_INDEX,
          id.index() == null
              ? id.repository() + " has no SOCI index for manifest " + id.manifest()
              : id.repository() + " has no readable SOCI index " + id.index());
    }
    Map<Digest, LayerZtoc> all = found.get().index().byLayer();
    Map<Digest, Long> sizes = new LinkedHashMap<>();
    Map<Digest, LayerZtoc> ztocs = new LinkedHashMap<>();
    for (Descriptor layer : manifest.layers()) {
      sizes.put(layer.digest(), layer.size());
      LayerZtoc ztoc = all.get(layer.digest());
      if (ztoc != null) {
        ztocs.put(layer.digest(), ztoc);
      }
    }
    return new Discovered.Index(sizes, ztocs);
  }

  private static Discovered none(Reason reason, String detail) {
    return new Discovered.None(Outcome.not(reason, detail));
  }
}
