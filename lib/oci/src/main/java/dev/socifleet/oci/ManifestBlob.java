package dev.socifleet.oci;

/**
 * A manifest or index exactly as the registry sent it; its digest was computed from these bytes.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; the digest is the identity
public record ManifestBlob(String mediaType, Digest digest, byte[] bytes) {}
