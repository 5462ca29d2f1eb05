package dev.socifleet.sociindex.publish;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Copies what refers to a manifest (signatures, SBOMs, attestations) to the manifest that took its
 * place: the same artifact with another {@code subject}, and whatever refers to that artifact in
 * turn. The same copies come out each time, so it can be done again.
 *
 * <p>Tools that are older than referrers (cosign before version 3) give an artifact a tag made of
 * the manifest's digest instead, {@code sha256-<hex>.sig}. Such an artifact is copied as it is,
 * under the tag made of the new digest; one that is there already stays.
 *
 * <p>What an artifact says inside stays: a signature is one of the old digest, and doesn't verify
 * for the new. SOCI indexes aren't copied; a converted image has its own.
 */
public final class ReferrerCopy {
  /** Whoever may push to a repository may add referrers to its images. */
  private static final int MOST_REFERRERS = 256;

  /** A signature of a signature of an SBOM; more has no use. */
  private static final int DEEPEST = 4;

  /** What comes behind the digest in such tags, by what they are for. */
  private static final List<String> TAG_ENDINGS = List.of(".sig", ".att", ".sbom");

  /**
   * Something that refers to a manifest.
   *
   * @param type its artifact type: the manifest's, or where that has none, its config's media type;
   *     of what refers by its tag, its last layer's media type
   * @param tagEnding of what refers by its tag, what that ends with; else empty
   */
  public record Referrer(ManifestBlob manifest, String type, String tagEnding) {
    boolean isTagged() {
      return !tagEnding.isEmpty();
    }
  }

  /**
   * A referrer that was copied.
   *
   * @param from its own digest
   * @param to the copy's
   * @param subject what the copy refers to
   */
  public record Copied(String type, Digest from, Digest to, Digest subject) {}

  /** What becomes of each referrer. */
  public interface Listener {
    void copied(Copied copied);

    void leftOut(Digest referrer, String reason);
  }

  private record Parsed(String type, Optional<Descriptor> subject, List<Descriptor> content) {}

  private final Repository from;
  private final Repository to;
  private final Set<String> types;
  private final Listener listener;

  /** Whether both are one repository, so that all content is there. */
  private final boolean within;

  private int seen;

  /**
   * @param types the artifact types that are meant; empty for all
   */
  public ReferrerCopy(Repository from, Repository to, Set<String> types, Listener listener) {
    this.from = from;
    this.to = to;
    this.types = Set.copyOf(types);
    this.listener = listener;
    within = from.name().equals(to.name());
  }

  /** What would be copied of those that refer to a manifest directly. */
  public List<Referrer> of(Digest subject) throws IOException {
    List<Referrer> found = new ArrayList<>();
    for (Descriptor entry : from.referrers(subject, null)) {
      if (!entry.artifactType().isEmpty() && !isMeant(entry.artifactType())) {
        continue;
      }
      count(subject);
      read(subject, entry.digest()).filter(one -> isMeant(one.type())).ifPresent(found::add);
    }
    // With a digest of SHA-512 a tag would be too long: such tags can't be.
    for (String ending : subject.algorithm().equals("sha256") ? TAG_ENDINGS : List.<String>of()) {
      Optional<ManifestBlob> tagged = from.manifest(tag(subject, ending));
      if (tagged.isPresent()) {
        count(subject);
        readTagged(tagged.get(), ending).filter(one -> isMeant(one.type())).ifPresent(found::add);
      }
    }
    return found;
  }

  private void count(Digest subject) throws IOException {
    if (++seen > MOST_REFERRERS) {
      throw new IOException(
          "cannot copy the referrers of "
              + subject
              + " ("
              + from.name()
              + "): there are over "
              + MOST_REFERRERS
              + "; say which types are meant, or delete some");
    }
  }

  private static String tag(Digest subject, String ending) {
    return subject.toString().replace(':', '-') + ending;
  }

  private boolean isMeant(String type) {
    return !SociTerms.isIndexType(type) && (types.isEmpty() || types.contains(type));
  }

  private Optional<Referrer> read(Digest subject, Digest digest) throws RegistryException {
    Optional<ManifestBlob> blob = from.manifest(digest.toString());
    if (blob.isEmpty()) {
      listener.leftOut(digest, "it is listed, but isn't there");
      return Optional.empty();
    }
    try {
      Parsed parsed = parse(blob.get());
      if (parsed.subject().filter(stated -> stated.digest().equals(subject)).isEmpty()) {
        listener.leftOut(digest, "it is listed, but doesn't refer to " + subject);
        return Optional.empty();
      }
      return Optional.of(new Referrer(blob.get(), parsed.type(), ""));
    } catch (MalformedDocumentException e) {
      listener.leftOut(digest, String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  /** All that is tagged so has an image's config: its layers tell what it is. */
  private Optional<Referrer> readTagged(ManifestBlob blob, String ending) {
    try {
      Parsed parsed = parse(blob);
      List<Descriptor> content = parsed.content();
      String type = content.isEmpty() ? parsed.type() : content.getLast().mediaType();
      return Optional.of(new Referrer(blob, type, ending));
    } catch (MalformedDocumentException e) {
      listener.leftOut(blob.digest(), String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static Parsed parse(ManifestBlob blob) throws MalformedDocumentException {
    if (MediaTypes.isIndex(blob.mediaType())) {
      ImageIndex index = OciJson.index(blob.bytes());
      return new Parsed(
          index.artifactType(), Optional.ofNullable(index.subject()), index.manifests());
    }
    if (!MediaTypes.isManifest(blob.mediaType())) {
      throw new MalformedDocumentException(
          "its media type " + blob.mediaType() + " is neither a manifest's nor an index's");
    }
    ImageManifest manifest = OciJson.manifest(blob.bytes());
    List<Descriptor> content = new ArrayList<>(List.of(manifest.config()));
    content.addAll(manifest.layers());
    return new Parsed(
        manifest.artifactType().isEmpty() ? manifest.config().mediaType() : manifest.artifactType(),
        Optional.ofNullable(manifest.subject()),
        content);
  }

  /** Copies all that refers to one manifest to another, which must be there. */
  public void copy(Digest old, Descriptor successor) throws IOException {
    copy(old, successor, 1);
  }

  private void copy(Digest old, Descriptor successor, int depth) throws IOException {
    for (Referrer referrer : of(old)) {
      ManifestBlob manifest = referrer.manifest();
      Optional<ManifestBlob> copy =
          referrer.isTagged()
              ? copyTagged(referrer, successor.digest())
              : Optional.of(copyReferrer(manifest, successor));
      if (copy.isEmpty()) {
        continue;
      }
      Digest digest = copy.get().digest();
      listener.copied(new Copied(referrer.type(), manifest.digest(), digest, successor.digest()));
      boolean itself = within && digest.equals(manifest.digest());
      if (depth < DEEPEST && !itself) {
        copy(
            manifest.digest(),
            Descriptor.of(manifest.mediaType(), digest, copy.get().bytes().length),
            depth + 1);
      }
    }
  }

  private ManifestBlob copyReferrer(ManifestBlob manifest, Descriptor successor)
      throws IOException {
    content(manifest);
    byte[] bytes = OciJson.withSubject(manifest.bytes(), successor);
    ManifestBlob copy = new ManifestBlob(manifest.mediaType(), Digest.of(bytes), bytes);
    to.putReferrer(successor.digest(), copy);
    return copy;
  }

  /** Empty when something else has the tag: whoever signed the new image meant that. */
  private Optional<ManifestBlob> copyTagged(Referrer referrer, Digest successor)
      throws IOException {
    ManifestBlob manifest = referrer.manifest();
    String tag = tag(successor, referrer.tagEnding());
    Optional<Descriptor> there = to.headManifest(tag);
    if (there.filter(other -> !other.digest().equals(manifest.digest())).isPresent()) {
      listener.leftOut(manifest.digest(), "the tag " + tag + " is taken");
      return Optional.empty();
    }
    content(manifest);
    to.putManifest(tag, manifest.mediaType(), manifest.bytes());
    return Optional.of(manifest);
  }

  private void content(ManifestBlob manifest) throws IOException {
    if (!within) {
      content(manifest, 1);
    }
  }

  /** Everything that a manifest names, into the other repository. */
  private void content(ManifestBlob manifest, int depth) throws IOException {
    for (Descriptor part : parse(manifest).content()) {
      if (!MediaTypes.isIndex(manifest.mediaType())) {
        blob(part);
        continue;
      }
      Optional<ManifestBlob> child = from.manifest(part.digest().toString());
      if (child.isPresent() && depth < DEEPEST) {
        content(child.get(), depth + 1);
        to.putManifest(part.digest().toString(), child.get().mediaType(), child.get().bytes());
      }
    }
  }

  private void blob(Descriptor blob) throws RegistryException {
    if (to.blobSize(blob.digest()).isEmpty() && !to.mountBlob(blob.digest(), from.name())) {
      to.putBlob(blob.digest(), blob.size(), () -> from.openBlob(blob.digest()));
    }
  }
}
