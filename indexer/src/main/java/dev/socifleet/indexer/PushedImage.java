package dev.socifleet.indexer;

import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads at the registry what was pushed: which images it holds, or why there is nothing in it for
 * us.
 */
final class PushedImage {
  private static final int DEEPEST_INDEX = 4;
  private static final int MOST_IMAGES = 1000;
  private static final int LARGEST_CONFIG = 4 << 20;

  /** Nothing to plan: what was pushed is ours, or no image. */
  static final class NothingToPlan extends Exception {
    NothingToPlan(String reason) {
      super(reason);
    }
  }

  private final Repository repository;
  private final IndexerConfig.Rules rules;
  private final LayerPolicy policy;

  PushedImage(Repository repository, IndexerConfig.Rules rules) {
    this.repository = repository;
    this.rules = rules;
    policy = new LayerPolicy(rules.minLayerSize());
  }

  List<PlannedImage> read(ManifestBlob target) throws IOException, NothingToPlan {
    List<PlannedImage> images = new ArrayList<>();
    if (MediaTypes.isIndex(target.mediaType())) {
      index(target.bytes(), images, 1);
    } else {
      image(
          Descriptor.of(target.mediaType(), target.digest(), target.bytes().length),
          target.bytes(),
          images);
    }
    if (images.isEmpty()) {
      throw new NothingToPlan("it holds no image");
    }
    return images;
  }

  private void index(byte[] bytes, List<PlannedImage> images, int depth)
      throws IOException, NothingToPlan {
    ImageIndex index = OciJson.index(bytes);
    for (Descriptor entry : index.manifests()) {
      if (SociTerms.isIndexType(entry.artifactType())) {
        throw new NothingToPlan(
            "it carries SOCI indexes already: an image converted by us, or the referrers of one");
      }
    }
    for (Descriptor entry : index.manifests()) {
      Platform platform = entry.platform();
      if (!entry.artifactType().isEmpty()
          || (platform != null && platform.os().equals("unknown"))) {
        continue; // an attestation or another artifact
      }
      Optional<ManifestBlob> child = repository.manifest(entry.digest().toString());
      if (child.isEmpty()) {
        continue; // a registry may hold an index of which only some platforms were copied
      }
      if (MediaTypes.isIndex(child.get().mediaType())) {
        if (depth == DEEPEST_INDEX) {
          throw new MalformedDocumentException(
              "image index " + entry.digest() + " is nested too deep");
        }
        index(child.get().bytes(), images, depth + 1);
      } else {
        image(entry, child.get().bytes(), images);
      }
      if (images.size() > MOST_IMAGES) {
        throw new MalformedDocumentException(
            "an image index with more than " + MOST_IMAGES + " images");
      }
    }
  }

  private void image(Descriptor entry, byte[] bytes, List<PlannedImage> images)
      throws IOException, NothingToPlan {
    ImageManifest manifest = OciJson.manifest(bytes);
    if (SociTerms.isIndexType(manifest.config().mediaType())
        || SociTerms.isIndexType(manifest.artifactType())) {
      throw new NothingToPlan("it is a SOCI index itself");
    }
    if (manifest.annotations().containsKey(SociTerms.INDEX_DIGEST_KEY)) {
      throw new NothingToPlan("it is the manifest of a converted image");
    }
    String config = manifest.config().mediaType();
    if (!config.equals(MediaTypes.OCI_CONFIG) && !config.equals(MediaTypes.DOCKER_CONFIG)) {
      return; // an artifact: a chart, a signature, an SBOM
    }
    List<PlannedLayer> layers = new ArrayList<>();
    for (Descriptor layer : manifest.layers()) {
      layers.add(
          new PlannedLayer(
              layer.digest(), layer.mediaType(), layer.size(), rules.spanSize(), leftOut(layer)));
    }
    Platform platform = entry.platform();
    images.add(
        new PlannedImage(entry, platform == null ? platform(manifest.config()) : platform, layers));
  }

  private @Nullable String leftOut(Descriptor layer) {
    return policy.decide(layer) instanceof LayerPolicy.Decision.LeftOut(String reason)
        ? reason
        : null;
  }

  private Platform platform(Descriptor config) throws IOException {
    if (config.size() > LARGEST_CONFIG) {
      throw new MalformedDocumentException(
          "image config " + config.digest() + " is larger than " + LARGEST_CONFIG + " bytes");
    }
    try (InputStream body = repository.openBlob(config.digest())) {
      return OciJson.platformOfConfig(body.readNBytes(LARGEST_CONFIG + 1));
    }
  }
}
