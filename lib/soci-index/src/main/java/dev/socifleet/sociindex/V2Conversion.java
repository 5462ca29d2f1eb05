package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes an image that carries its v2 indexes: each indexed manifest gets an annotation with its
 * index's digest, and the indexes are entries of the image index. Layers and configs stay as they
 * are. A pure function of the documents it reads.
 *
 * <p>As the existing tool does it, but for: attestations and other entries that aren't image
 * manifests keep their bytes and annotations, {@code vnd.docker.reference.digest} pointing at the
 * converted manifest; an index of an earlier conversion stays an index, and goes when its platform
 * is indexed anew; an entry without a platform gets that of its image's config; a nested index that
 * holds an indexed manifest is replaced by its entries, as containerd and the existing tool read
 * one level only.
 */
public final class V2Conversion {
  /** Reads the documents of the image. */
  @FunctionalInterface
  public interface Documents {
    /** A manifest by digest, or empty when there is none. */
    Optional<ManifestBlob> manifest(Digest digest) throws IOException;

    /** The platform that a manifest's config states; empty when the config isn't looked at. */
    default Optional<Platform> platform(ImageManifest manifest) throws IOException {
      return Optional.empty();
    }
  }

  /** A v2 index for one image manifest. */
  public record Indexed(Digest manifest, Platform platform, ManifestBlob index) {}

  /**
   * @param root the converted image's index
   * @param manifests the new manifests to store before it; the indexes are not among them
   * @param replaced old digest to new, for every manifest that changed
   */
  public record Converted(
      ManifestBlob root, List<ManifestBlob> manifests, Map<Digest, Digest> replaced) {}

  private V2Conversion() {}

  /**
   * @param target the image: an index, or one manifest
   * @param indexed its manifests that have an index, in platform order; not empty
   */
  public static Converted convert(ManifestBlob target, Documents documents, List<Indexed> indexed)
      throws IOException {
    Map<Digest, Indexed> byManifest = new LinkedHashMap<>();
    indexed.forEach(one -> byManifest.put(one.manifest(), one));
    ImageIndex source = source(target);
    List<ManifestBlob> written = new ArrayList<>();
    Map<Digest, Digest> replaced = new LinkedHashMap<>();
    List<Descriptor> entries = new ArrayList<>();
    for (Descriptor entry : flat(source.manifests(), documents, byManifest, 1)) {
      if (ImageEntries.isImage(entry)) {
        entries.add(image(entry, target, documents, byManifest, written, replaced));
      } else {
        entries.add(entry);
      }
    }
    entries.replaceAll(entry -> pointingAt(entry, replaced));
    for (Indexed one : indexed) {
      add(entries, one, replaced.getOrDefault(one.manifest(), one.manifest()));
    }
    byte[] root =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX,
                source.artifactType(),
                entries,
                source.subject(),
                source.annotations()));
    return new Converted(
        new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(root), root), written, replaced);
  }

  private static ImageIndex source(ManifestBlob target) throws IOException {
    if (MediaTypes.isIndex(target.mediaType())) {
      return OciJson.index(target.bytes());
    }
    Descriptor only = Descriptor.of(target.mediaType(), target.digest(), target.bytes().length);
    return new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(only), null, Map.of());
  }

  /** The entries with those of nested indexes in the place of each that holds what was indexed. */
  private static List<Descriptor> flat(
      List<Descriptor> entries, Documents documents, Map<Digest, Indexed> byManifest, int depth)
      throws IOException {
    List<Descriptor> all = new ArrayList<>();
    for (Descriptor entry : entries) {
      Optional<ManifestBlob> nested =
          MediaTypes.isIndex(entry.mediaType()) && depth < ImageEntries.DEEPEST_INDEX
              ? documents.manifest(entry.digest())
              : Optional.empty();
      List<Descriptor> inside =
          nested.isEmpty()
              ? List.of()
              : flat(
                  OciJson.index(nested.get().bytes()).manifests(),
                  documents,
                  byManifest,
                  depth + 1);
      if (inside.stream().anyMatch(child -> byManifest.containsKey(child.digest()))) {
        all.addAll(inside);
      } else {
        all.add(entry);
      }
    }
    return all;
  }

  private static Descriptor image(
      Descriptor entry,
      ManifestBlob target,
      Documents documents,
      Map<Digest, Indexed> byManifest,
      List<ManifestBlob> written,
      Map<Digest, Digest> replaced)
      throws IOException {
    Indexed indexed = byManifest.get(entry.digest());
    Optional<ManifestBlob> blob =
        entry.digest().equals(target.digest())
            ? Optional.of(target)
            : documents.manifest(entry.digest());
    if (blob.isEmpty()) {
      if (indexed != null) {
        throw new IOException("cannot convert: manifest " + entry.digest() + " isn't there");
      }
      return entry;
    }
    ImageManifest old = OciJson.manifest(blob.get().bytes());
    if (indexed == null && !ImageEntries.isImageConfig(old.config())) {
      return entry; // its own manifest alone says that it is another artifact
    }
    Map<String, String> annotations = new TreeMap<>(old.annotations());
    if (indexed != null) {
      annotations.put(SociTerms.INDEX_DIGEST_KEY, indexed.index().digest().toString());
    }
    Descriptor config = old.config();
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                old.artifactType(),
                config.withContent(MediaTypes.OCI_CONFIG, config.digest(), config.size()),
                old.layers(),
                old.subject(),
                annotations));
    Digest digest = Digest.of(bytes);
    written.add(new ManifestBlob(MediaTypes.OCI_MANIFEST, digest, bytes));
    replaced.put(entry.digest(), digest);
    Descriptor converted =
        entry
            .withContent(MediaTypes.OCI_MANIFEST, digest, bytes.length)
            .withAnnotations(annotations);
    if (entry.platform() != null) {
      return converted;
    }
    Platform own = documents.platform(old).orElse(indexed == null ? null : indexed.platform());
    return converted.withPlatform(own);
  }

  private static Descriptor pointingAt(Descriptor entry, Map<Digest, Digest> replaced) {
    String reference = entry.annotations().get(ImageEntries.REFERENCE_DIGEST);
    if (reference == null) {
      return entry;
    }
    for (Map.Entry<Digest, Digest> change : replaced.entrySet()) {
      if (change.getKey().toString().equals(reference)) {
        Map<String, String> annotations = new TreeMap<>(entry.annotations());
        annotations.put(ImageEntries.REFERENCE_DIGEST, change.getValue().toString());
        return entry.withAnnotations(annotations);
      }
    }
    return entry;
  }

  /** Adds an index's entry, in the place of an earlier one for the same platform. */
  private static void add(List<Descriptor> entries, Indexed one, Digest manifest) {
    Descriptor descriptor =
        Descriptor.of(MediaTypes.OCI_MANIFEST, one.index().digest(), one.index().bytes().length)
            .withAnnotations(Map.of(SociTerms.MANIFEST_DIGEST_KEY, manifest.toString()))
            .withPlatform(one.platform())
            .withArtifactType(SociTerms.V2_TYPE);
    for (int i = 0; i < entries.size(); i++) {
      Platform platform = entries.get(i).platform();
      if (entries.get(i).artifactType().equals(SociTerms.V2_TYPE)
          && platform != null
          && Platforms.same(platform, one.platform())) {
        entries.set(i, descriptor);
        return;
      }
    }
    entries.add(descriptor);
  }
}
