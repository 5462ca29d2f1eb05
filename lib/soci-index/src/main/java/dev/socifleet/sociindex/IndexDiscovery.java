package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the index of an image manifest: the one asked for, else the one its v2 annotation names,
 * else the first readable v1 referrer. A temporary failure is an exception; "no index" is only said
 * when the registry said so.
 */
public final class IndexDiscovery {
  private static final Logger LOG = LoggerFactory.getLogger(IndexDiscovery.class);
  // Whoever may push to a repository may add referrers to its images; they aren't all read.
  private static final int MOST_REFERRERS = 32;

  private IndexDiscovery() {}

  /** An index and its own digest. */
  public record Found(Digest digest, SociIndex index) {}

  /**
   * Looks for an index of either version.
   *
   * @param manifest the image manifest, not an image index
   * @param explicit the index that the caller names, or null
   */
  public static Optional<Found> find(
      Repository repository, ManifestBlob manifest, @Nullable Digest explicit)
      throws RegistryException {
    return find(repository, manifest, explicit, EnumSet.allOf(SociIndex.Version.class));
  }

  /**
   * Looks in the ways that are wanted.
   *
   * @param versions V2: the index that the manifest names; V1: the referrers of the manifest. The
   *     explicit one is read whatever they are
   */
  public static Optional<Found> find(
      Repository repository,
      ManifestBlob manifest,
      @Nullable Digest explicit,
      Set<SociIndex.Version> versions)
      throws RegistryException {
    if (explicit != null) {
      return read(repository, explicit);
    }
    if (versions.contains(SociIndex.Version.V2)) {
      Optional<Found> named = named(repository, manifest);
      if (named.isPresent()) {
        return named;
      }
    }
    return versions.contains(SociIndex.Version.V1)
        ? referring(repository, manifest)
        : Optional.empty();
  }

  private static Optional<Found> named(Repository repository, ManifestBlob manifest)
      throws RegistryException {
    String annotated;
    try {
      ImageManifest parsed = OciJson.manifest(manifest.bytes());
      annotated = parsed.annotations().getOrDefault(SociTerms.INDEX_DIGEST_KEY, "");
    } catch (MalformedDocumentException e) {
      LOG.warn(
          "image manifest {} of {} can't be read: {}",
          manifest.digest(),
          repository.name(),
          e.getMessage());
      return Optional.empty();
    }
    if (annotated.isEmpty()) {
      return Optional.empty();
    }
    try {
      return read(repository, Digest.parse(annotated));
    } catch (IllegalArgumentException e) {
      LOG.warn(
          "manifest {} of {} names an index by no digest: {}",
          manifest.digest(),
          repository.name(),
          e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Found> referring(Repository repository, ManifestBlob manifest)
      throws RegistryException {
    List<Descriptor> candidates = repository.referrers(manifest.digest(), SociTerms.V1_TYPE);
    for (Descriptor candidate :
        candidates.subList(0, Math.min(MOST_REFERRERS, candidates.size()))) {
      Optional<Found> found = read(repository, candidate.digest());
      if (found.isPresent() && found.get().index().version() == SociIndex.Version.V1) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<Found> read(Repository repository, Digest digest)
      throws RegistryException {
    Optional<ManifestBlob> blob = repository.manifest(digest.toString());
    if (blob.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Found(digest, SociIndex.read(blob.get().bytes())));
    } catch (MalformedDocumentException e) {
      LOG.warn("SOCI index {} of {} can't be read: {}", digest, repository.name(), e.getMessage());
      return Optional.empty();
    }
  }
}
