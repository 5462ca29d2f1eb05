package dev.socifleet.ztoc.streams;

/**
 * A gzip stream to be indexed.
 *
 * @param name says how it was made
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Stream(String name, byte[] bytes) {
  @Override
  public String toString() {
    return name;
  }
}
