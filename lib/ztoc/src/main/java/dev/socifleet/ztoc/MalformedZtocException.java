package dev.socifleet.ztoc;

import java.io.IOException;

/** The bytes are not a zTOC. Says where in them, and what was expected there. */
public final class MalformedZtocException extends IOException {
  private static final long serialVersionUID = 1L;

  private final long offset;

  MalformedZtocException(String expected, long offset) {
    super("malformed zTOC at offset " + offset + ": expected " + expected);
    this.offset = offset;
  }

  public long offset() {
    return offset;
  }
}
