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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds the images of some platforms under a reference. A tag costs one HEAD request; documents
 * that containerd has, or that were read before, are not downloaded again. One thread, one search.
 */
final class ImageSearch {
  private static final int LARGEST_CONFIG = 8 << 20;
  private static final int DEEPEST = 4;
  // Entries of an index that state no platform have to be downloaded to know it.
  private static final int MOST_UNSTATED = 32;
  private static final int MOST_PLATFORMS = 100;

  private final PullRequest request;
  private final Repository repository;
  private final ContentStore store;
  private final Map<Digest, byte[]> read = new HashMap<>();
  private final Set<String> otherPlatforms = new TreeSet<>();
  private Platform platform = Platforms.host();
  private int unstated;

  ImageSearch(PullRequest request, Repository repository, ContentStore store) {
    this.request = request;
    this.repository = repository;
    this.store = store;
  }

  /** Finds them, each manifest once; nothing is written. */
  List<FoundImage> find() throws IOException {
    Descriptor target = target();
    try {
      Document root = document(target);
      List<Platform> wanted = new ArrayList<>();
      if (request.all()) {
        list(root, 1, wanted);
      } else {
        wanted.addAll(request.platforms());
      }
      Map<Digest, FoundImage> found = new LinkedHashMap<>();
      for (Platform each : wanted) {
        platform = each;
        unstated = 0;
        FoundImage image = search(List.of(root), false).orElseThrow(this::otherPlatform);
        found.putIfAbsent(image.manifestDocument().descriptor().digest(), image);
      }
      if (found.isEmpty()) {
        throw new CommandFailure("cannot pull " + request.name() + ": it has no image");
      }
      return List.copyOf(found.values());
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

  /** The platforms that an index states, or a manifest's config; as they come. */
  private void list(Document document, int depth, List<Platform> platforms) throws IOException {
    if (document.kind() == Kind.MANIFEST) {
      ImageManifest manifest = OciJson.manifest(document.bytes());
      if (isImage(manifest)) {
        Platform stated = OciJson.platformOfConfig(config(manifest.config()).bytes());
        platforms.add(says(stated) ? stated : Platforms.host());
      }
      return;
    }
    if (depth > DEEPEST) {
      throw new MalformedDocumentException("indexes are nested deeper than " + DEEPEST);
    }
    for (Descriptor entry : OciJson.index(document.bytes()).manifests()) {
      Platform stated = entry.platform();
      if (!mayBeAnImage(entry) || (stated != null && stated.os().equals("unknown"))) {
        continue;
      }
      if (stated != null) {
        platforms.add(stated);
      } else if (unstated++ < MOST_UNSTATED) {
        list(document(entry), depth + 1, platforms);
      }
      if (platforms.size() > MOST_PLATFORMS) {
        throw new MalformedDocumentException("it has over " + MOST_PLATFORMS + " platforms");
      }
    }
  }

  private static boolean isImage(ImageManifest manifest) {
    String type = manifest.config().mediaType();
    return type.equals(MediaTypes.OCI_CONFIG) || type.equals(MediaTypes.DOCKER_CONFIG);
  }

  private static boolean says(Platform platform) {
    return !platform.os().isEmpty() && !platform.architecture().isEmpty();
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
      Platform stated = entry.platform();
      if (stated == null) {
        continue;
      }
      if (!Platforms.same(stated, platform)) {
        otherPlatforms.add(Platforms.text(stated));
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
    if (!isImage(manifest)) {
      if (path.size() > 1) {
        return Optional.empty();
      }
      throw new CommandFailure(
          request.name()
              + " is no container image: its manifest's config is of type "
              + manifest.config().mediaType());
    }
    Document config = config(manifest.config());
    Platform own = OciJson.platformOfConfig(config.bytes());
    if (!platformStated && says(own) && !Platforms.same(own, platform)) {
      otherPlatforms.add(Platforms.text(Platforms.normalise(own)));
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
    return Optional.of(
        new FoundImage(path, manifest, config, ImageLayer.chain(blobs, diffIds), platform));
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
    read.put(descriptor.digest(), blob.bytes());
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
      read.put(descriptor.digest(), bytes);
      return new Document(Kind.CONFIG, descriptor, bytes);
    }
  }

  private Optional<byte[]> known(Descriptor descriptor, int most) throws IOException {
    byte[] before = read.get(descriptor.digest());
    if (before != null) {
      return Optional.of(before);
    }
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
            + Platforms.text(platform)
            + (otherPlatforms.isEmpty()
                ? ""
                : "; choose one that it has with --platform: "
                    + String.join(", ", otherPlatforms)));
  }
}
