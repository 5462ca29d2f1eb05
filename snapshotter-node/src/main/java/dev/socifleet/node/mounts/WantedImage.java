package dev.socifleet.node.mounts;

import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.mounts.UnmountableException.Kind;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ImageReference;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/**
 * The image manifest that a reference means for a platform.
 *
 * @param layers base first
 */
record WantedImage(Repository repository, Digest manifest, List<Descriptor> layers) {
  // overlayfs takes no more lower directories (OVL_MAX_STACK in the kernel's fs/overlayfs).
  private static final int MOST_LAYERS = 500;
  private static final int DEEPEST_INDEX = 4;

  WantedImage {
    layers = List.copyOf(layers);
  }

  /** Asks the registry. */
  static WantedImage find(Repositories repositories, ImageReference reference, Platform platform)
      throws IOException, UnmountableException {
    if (!repositories.allows(reference.repository())) {
      throw new UnmountableException(
          Kind.REFUSED,
          "registry "
              + reference.repository().registry()
              + " isn't in the node's list; add a [[registry]] for it");
    }
    Repository repository = repositories.get(reference.repository());
    ManifestBlob blob = read(repository, reference.tagOrDigest(), reference);
    try {
      for (int depth = 0; MediaTypes.isIndex(blob.mediaType()); depth++) {
        if (depth == DEEPEST_INDEX) {
          throw new UnmountableException("the index of " + reference + " is nested too deep");
        }
        Descriptor chosen = choose(OciJson.index(blob.bytes()), reference, platform);
        blob = read(repository, chosen.digest().toString(), reference);
      }
      ImageManifest manifest = OciJson.manifest(blob.bytes());
      if (manifest.layers().isEmpty() || manifest.layers().size() > MOST_LAYERS) {
        throw new UnmountableException(
            reference
                + " has "
                + manifest.layers().size()
                + " layers; 1 to "
                + MOST_LAYERS
                + " can be mounted");
      }
      return new WantedImage(repository, blob.digest(), manifest.layers());
    } catch (MalformedDocumentException e) {
      throw new UnmountableException("cannot read " + reference + ": " + e.getMessage());
    }
  }

  private static ManifestBlob read(
      Repository repository, String tagOrDigest, ImageReference reference)
      throws IOException, UnmountableException {
    return repository
        .manifest(tagOrDigest)
        .orElseThrow(() ->
            new UnmountableException(
                Kind.NOT_FOUND,
                reference.toString().endsWith(tagOrDigest)
                    ? "the registry has no " + reference
                    : "the registry has no " + tagOrDigest + " of " + reference));
  }

  private static Descriptor choose(ImageIndex index, ImageReference reference, Platform platform)
      throws UnmountableException {
    for (Descriptor entry : index.manifests()) {
      Platform of = entry.platform();
      boolean fits = of == null ? index.manifests().size() == 1 : Platforms.same(of, platform);
      if (entry.artifactType().isEmpty() && fits) {
        return entry;
      }
    }
    throw new UnmountableException(
        Kind.NOT_FOUND,
        reference
            + " has no image for "
            + Platforms.text(platform)
            + ", only for "
            + index.manifests().stream()
                .filter(entry -> entry.artifactType().isEmpty())
                .flatMap(entry -> Stream.ofNullable(entry.platform()))
                .map(Platforms::text)
                .distinct()
                .limit(20)
                .toList());
  }
}
