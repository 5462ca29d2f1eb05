package dev.socifleet.oci;

import java.io.IOException;

/**
 * A manifest, index or config that isn't one: which field is wrong, and what was expected.
 * Permanent.
 */
public final class MalformedDocumentException extends IOException {
  public MalformedDocumentException(String message) {
    super(message);
  }
}
