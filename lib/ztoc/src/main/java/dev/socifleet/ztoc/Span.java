package dev.socifleet.ztoc;

/**
 * A piece of a layer that can be decoded by itself. All ends are exclusive.
 *
 * @param index from 0
 * @param compressedStart in the layer blob. If {@code bits} is not 0, the span before has this byte
 *     too
 * @param uncompressedEnd never before {@code uncompressedStart}; a last span may be empty
 * @param bits how many high bits of the first byte belong to this span; 0 for all of it
 * @param sha256 of the compressed bytes, 32 bytes; not to be written to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Span(
    int index,
    long compressedStart,
    long compressedEnd,
    long uncompressedStart,
    long uncompressedEnd,
    int bits,
    byte[] sha256) {

  public long compressedLength() {
    return compressedEnd - compressedStart;
  }

  public long uncompressedLength() {
    return uncompressedEnd - uncompressedStart;
  }
}
