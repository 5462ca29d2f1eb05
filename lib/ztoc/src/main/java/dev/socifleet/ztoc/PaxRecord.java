package dev.socifleet.ztoc;

import java.nio.charset.StandardCharsets;

/** A key and its value, in raw bytes: a PAX record of a file, or an extended attribute. */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record PaxRecord(byte[] key, byte[] value) {
  /** The key as text, for people. */
  public String keyText() {
    return new String(key, StandardCharsets.UTF_8);
  }
}
