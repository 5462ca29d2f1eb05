package dev.socifleet.cli.rpull;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.rpull.FoundImage.Document;
import dev.socifleet.cli.rpull.FoundImage.Kind;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds the image of a platform under a reference. A tag costs one HEAD request; documents that
 * containerd has are not downloaded again. One thread, one search.
 */
final class ImageSearch {
  private static final int LARGEST_CONFIG = 8 << 20;
  private static final int DEEPEST = 4;
  // Entries of an index that state no platform have to be downloaded to know it.
  private static final int MOST_UNSTATED = 32;

  private final PullRequest request;
  private final Repository repository;
  private final ContentStore store;
  private final Set<String> otherPlatforms = new TreeSet<>();
  private int unstated;

  ImageSearch(PullRequest request, Repository repository, ContentStore store) {
    this.request = request;
    this.repository = repository;
    this.store = store;
  }

  /** Finds it; nothing is written. */
  FoundImage find() throws IOException {
    Descriptor target = target();
    try {
      return search(List.of(document(target)), false).orElseThrow(this::otherPlatform);
    } catch (MalformedDocumentException e) {
      throw new CommandFailure(
          "cannot pull " + request.name() + ": its image is malformed: " + e.getMessage());
    }
  }

  private Descriptor target() throws IOException {
    String wanted = request.image().tagOrDigest();
    Descriptor head = repository.headManifest(wanted).orElseThrow(this::notFound);
    if (MediaTypes.isIndex(head.mediaType()) || MediaTypes.isManifest(head.mediaType())) {
      return head;
    }
    // Its bytes may say what the registry doesn't.
    ManifestBlob blob = repository.manifest(wanted).orElseThrow(this::notFound);
    return Descriptor.of(blob.mediaType(), head.digest(), blob.bytes().length);
  }

  private Optional<FoundImage> search(List<Document> path, boolean platformStated)
      throws IOException {
    Document last = path.getLast();
    if (last.kind() == Kind.MANIFEST) {
      return manifest(path, platformStated);
    }
    if (path.size() > DEEPEST) {
      throw new MalformedDocumentException("indexes are nested deeper than " + DEEPEST);
    }
    ImageIndex index = OciJson.index(last.bytes());
    List<Descriptor> candidates =
        index.manifests().stream().filter(ImageSearch::mayBeAnImage).toList();
    for (Descriptor entry : candidates) {
      Platform platform = entry.platform();
      if (platform == null) {
        continue;
      }
      if (!Platforms.same(platform, request.platform())) {
        otherPlatforms.add(Platforms.text(platform));
        continue;
      }
      Optional<FoundImage> found = search(append(path, document(entry)), true);
      if (found.isPresent()) {
        return found;
      }
    }
    for (Descriptor entry : candidates) {
      if (entry.platform() == null && unstated++ < MOST_UNSTATED) {
        Optional<FoundImage> found = search(append(path, document(entry)), false);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<FoundImage> manifest(List<Document> path, boolean platformStated)
      throws IOException {
    ImageManifest manifest = OciJson.manifest(path.getLast().bytes());
    String type = manifest.config().mediaType();
    if (!type.equals(MediaTypes.OCI_CONFIG) && !type.equals(MediaTypes.DOCKER_CONFIG)) {
      if (path.size() > 1) {
        return Optional.empty();
      }
      throw new CommandFailure(
          request.name() + " is no container image: its manifest's config is of type " + type);
    }
    Document config = config(manifest.config());
    Platform platform = OciJson.platformOfConfig(config.bytes());
    boolean says = !platform.os().isEmpty() && !platform.architecture().isEmpty();
    if (!platformStated && says && !Platforms.same(platform, request.platform())) {
      otherPlatforms.add(Platforms.text(Platforms.normalise(platform)));
      return Optional.empty();
    }
    List<Descriptor> blobs =
        manifest.layers().stream().filter(blob -> ImageLayer.isLayer(blob.mediaType())).toList();
    List<Digest> diffIds = OciJson.diffIdsOfConfig(config.bytes());
    if (blobs.size() != diffIds.size()) {
      throw new MalformedDocumentException(
          "the manifest has "
              + blobs.size()
              + " layers, but the config has the diff ids of "
              + diffIds.size());
    }
    return Optional.of(new FoundImage(path, manifest, config, ImageLayer.chain(blobs, diffIds)));
  }

  /** Not an attestation, nor a SOCI index, which has the platform of its image. */
  private static boolean mayBeAnImage(Descriptor entry) {
    return (MediaTypes.isManifest(entry.mediaType()) || MediaTypes.isIndex(entry.mediaType()))
        && !SociTerms.isIndexType(entry.artifactType())
        && !entry.annotations().containsKey("vnd.docker.reference.digest");
  }

  private Document document(Descriptor descriptor) throws IOException {
    Kind kind = MediaTypes.isIndex(descriptor.mediaType()) ? Kind.INDEX : Kind.MANIFEST;
    Optional<byte[]> known = known(descriptor, OciJson.LARGEST_MANIFEST);
    if (known.isPresent()) {
      return new Document(kind, descriptor, known.get());
    }
    ManifestBlob blob =
        repository.manifest(descriptor.digest().toString()).orElseThrow(this::notFound);
    return new Document(kind, descriptor, blob.bytes());
  }

  private Document config(Descriptor descriptor) throws IOException {
    Optional<byte[]> known = known(descriptor, LARGEST_CONFIG);
    if (known.isPresent()) {
      return new Document(Kind.CONFIG, descriptor, known.get());
    }
    if (descriptor.size() > LARGEST_CONFIG) {
      throw new MalformedDocumentException(
          "the config has " + descriptor.size() + " bytes, more than " + LARGEST_CONFIG);
    }
    try (InputStream blob = repository.openBlob(descriptor.digest())) {
      byte[] bytes = blob.readNBytes(LARGEST_CONFIG + 1);
      if (bytes.length != descriptor.size()) {
        throw new MalformedDocumentException(
            "the config has another size than its manifest says: "
                + bytes.length
                + ", not "
                + descriptor.size());
      }
      return new Document(Kind.CONFIG, descriptor, bytes);
    }
  }

  private Optional<byte[]> known(Descriptor descriptor, int most) throws IOException {
    String digest = descriptor.digest().toString();
    return store.info(digest).isPresent()
        ? Optional.of(store.read(digest, most))
        : Optional.empty();
  }

  private static List<Document> append(List<Document> path, Document document) {
    List<Document> longer = new ArrayList<>(path);
    longer.add(document);
    return longer;
  }

  private CommandFailure notFound() {
    return new CommandFailure(
        "cannot pull "
            + request.name()
            + ": the registry has no such image; check the name and the "
            + (request.image().digest() == null ? "tag" : "digest"));
  }

  private CommandFailure otherPlatform() {
    return new CommandFailure(
        "cannot pull "
            + request.name()
            + ": it has no image for "
            + Platforms.text(request.platform())
            + (otherPlatforms.isEmpty()
                ? ""
                : "; choose one that it has with --platform: "
                    + String.join(", ", otherPlatforms)));
  }
}
