package dev.socifleet.ztoc;

import java.io.IOException;

/**
 * The bytes given for a span are not those that its zTOC describes, or describes wrongly. The
 * message names the span and the reason.
 */
public final class CorruptSpanException extends IOException {
  private static final long serialVersionUID = 1L;

  CorruptSpanException(int span, long offset, String reason) {
    super("span " + span + " at compressed offset " + offset + ": " + reason);
  }
}
