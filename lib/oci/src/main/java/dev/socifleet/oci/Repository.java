package dev.socifleet.oci;

import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One repository of a registry, under one credential. Calls block (use a virtual thread), retry
 * what is temporary within bounds, and are safe to make from many threads. Every failure is a
 * {@link RegistryException}.
 */
public interface Repository {
  RepositoryName name();

  /**
   * Media type, digest and size of a manifest, or empty when the registry has none under this tag
   * or digest.
   */
  Optional<Descriptor> headManifest(String tagOrDigest) throws RegistryException;

  /** A manifest's bytes (at most 4 MiB), checked against the digest when asked by digest. */
  Optional<ManifestBlob> manifest(String tagOrDigest) throws RegistryException;

  /**
   * Stores a manifest under a tag or its digest.
   *
   * @return whether the registry said that it indexed the manifest's {@code subject} (header {@code
   *     OCI-Subject})
   */
  boolean putManifest(String tagOrDigest, String mediaType, byte[] bytes) throws RegistryException;

  /** Deletes by digest (or tag, where the registry can); false when there was none. */
  boolean deleteManifest(String tagOrDigest) throws RegistryException;

  /**
   * The size of a blob in bytes, or empty when this repository has none of that digest. One HEAD
   * request.
   */
  OptionalLong blobSize(Digest blob) throws RegistryException;

  /**
   * A whole blob as a stream. Reading to its end checks the digest: a wrong one, or a body that
   * ends early, fails the last read with a {@link RegistryException}.
   */
  InputStream openBlob(Digest blob) throws RegistryException;

  /**
   * A range of a blob, exactly {@code range.length()} bytes. A server that ignores ranges (answer
   * 200) costs the bytes before the range but gives the same result. Not checked against a digest:
   * the caller knows the span's.
   */
  InputStream openBlob(Digest blob, ByteRange range) throws RegistryException;

  /**
   * Uploads a blob unless the repository has it already; digest and size are checked on the way.
   */
  void putBlob(Digest blob, long size, BlobContent content) throws RegistryException;

  /**
   * Tries to take a blob over from another repository of the same registry; false when it has to be
   * uploaded.
   */
  boolean mountBlob(Digest blob, RepositoryName from) throws RegistryException;

  /**
   * The manifests whose subject is {@code subject}: Referrers API, else the fallback tag {@code
   * <algorithm>-<hex>}.
   *
   * @param artifactType only those of this type; null for all
   */
  List<Descriptor> referrers(Digest subject, @Nullable String artifactType)
      throws RegistryException;

  /**
   * Stores a manifest with a subject by its digest and makes it findable: where the registry
   * doesn't index subjects itself, its descriptor (artifactType = config media type where the
   * manifest has none) is added to the fallback tag's index, read-modify-write, re-read and
   * repaired until it is there. Idempotent.
   */
  void putReferrer(Digest subject, ManifestBlob manifest) throws RegistryException;

  /** Every tag of the repository. */
  List<String> tags() throws RegistryException;

  /**
   * The {@code Authorization} header that a pull from this repository needs now, after a token
   * exchange where the registry asks for one; empty for anonymous access. For fetch-cache, which
   * asks the registry in our name.
   */
  Optional<String> pullAuthorization() throws RegistryException;
}
