package dev.socifleet.cli.remote;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.IndexDiscovery;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which layers have a zTOC in a repository: those of the indexes of a few of its tags, the last
 * first. Images of a repository mostly share their base, so the few suffice. Looked up when the
 * first layer asks. Only indexes of our build tool's name count: others' zTOCs may differ.
 * Thread-safe.
 */
public final class KnownZtocs {
  private static final Logger LOG = LoggerFactory.getLogger(KnownZtocs.class);
  private static final int MOST_TAGS = 8;
  private static final int MOST_IMAGES = 32;

  private final Repository repository;
  private final ManifestBlob target;
  private final Map<String, LayerZtoc> found = new HashMap<>();
  private boolean searched;
  private int images;

  /**
   * @param target the image whose own indexes are looked at first
   */
  public KnownZtocs(Repository repository, ManifestBlob target) {
    this.repository = repository;
    this.target = target;
  }

  /** The zTOC of a layer; whether its blob is still there was not looked at. */
  public synchronized Optional<LayerZtoc> of(Digest layer, long spanSize) {
    if (!searched) {
      searched = true;
      search();
    }
    return Optional.ofNullable(found.get(key(layer, spanSize)));
  }

  /** What can't be read is passed over: then a zTOC is built once more. */
  private void search() {
    try {
      look(target);
      List<String> tags = repository.tags();
      for (String tag : tags.reversed().subList(0, Math.min(MOST_TAGS, tags.size()))) {
        Optional<ManifestBlob> image = repository.manifest(tag);
        if (image.isPresent() && !image.get().digest().equals(target.digest())) {
          look(image.get());
        }
      }
    } catch (RegistryException e) {
      LOG.debug("{}: not every index was looked at: {}", repository.name(), e.getMessage());
    }
  }

  private void look(ManifestBlob image) throws RegistryException {
    try {
      if (!MediaTypes.isIndex(image.mediaType())) {
        lookAtManifest(image);
        return;
      }
      for (Descriptor entry : OciJson.index(image.bytes()).manifests()) {
        if (images < MOST_IMAGES && SociTerms.isIndexType(entry.artifactType())) {
          images++;
          lookAtIndex(entry.digest());
        } else if (images < MOST_IMAGES
            && MediaTypes.isManifest(entry.mediaType())
            && image.digest().equals(target.digest())) {
          Optional<ManifestBlob> child = repository.manifest(entry.digest().toString());
          if (child.isPresent()) {
            lookAtManifest(child.get());
          }
        }
      }
    } catch (MalformedDocumentException e) {
      LOG.debug("{}: {} can't be read: {}", repository.name(), image.digest(), e.getMessage());
    }
  }

  private void lookAtManifest(ManifestBlob manifest) throws RegistryException {
    if (images++ < MOST_IMAGES) {
      IndexDiscovery.find(repository, manifest, null).ifPresent(index -> keep(index.index()));
    }
  }

  private void lookAtIndex(Digest digest) throws RegistryException, MalformedDocumentException {
    Optional<ManifestBlob> index = repository.manifest(digest.toString());
    if (index.isPresent()) {
      keep(SociIndex.read(index.get().bytes()));
    }
  }

  private void keep(SociIndex index) {
    if (index.buildTool().equals(SociTerms.BUILD_TOOL)) {
      for (LayerZtoc ztoc : index.ztocs()) {
        found.putIfAbsent(key(ztoc.layer(), ztoc.spanSize()), ztoc);
      }
    }
  }

  private static String key(Digest layer, long spanSize) {
    return layer + " " + spanSize;
  }
}
