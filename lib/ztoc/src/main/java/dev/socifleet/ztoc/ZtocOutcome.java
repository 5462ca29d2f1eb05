package dev.socifleet.ztoc;

/** What building a zTOC came to. */
public sealed interface ZtocOutcome {
  /**
   * @param bytes the zTOC blob
   * @param digest {@code sha256:…} of those bytes
   * @param compressedBytes the layer's size
   * @param uncompressedBytes as recorded in the zTOC: where the tar reader saw the end
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared; the digest is the identity
  record Built(
      byte[] bytes,
      String digest,
      long compressedBytes,
      long uncompressedBytes,
      int spans,
      int files)
      implements ZtocOutcome {}

  /**
   * The layer can't have a zTOC, for good. {@code reason} is one line and names the offset where
   * there is one.
   */
  record NotIndexable(String reason) implements ZtocOutcome {}
}
