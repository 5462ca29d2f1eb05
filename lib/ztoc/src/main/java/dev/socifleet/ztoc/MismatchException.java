package dev.socifleet.ztoc;

import java.io.IOException;

/** A zTOC and a layer do not belong together. The message says what differs, and where. */
public final class MismatchException extends IOException {
  private static final long serialVersionUID = 1L;

  MismatchException(String difference) {
    super(difference);
  }
}
