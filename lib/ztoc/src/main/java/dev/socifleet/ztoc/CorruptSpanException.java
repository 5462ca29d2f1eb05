package dev.socifleet.ztoc;

import java.io.IOException;

/**
 * The bytes given for a span are not those that its zTOC describes, or describes wrongly. The
 * message names the span and the reason.
 */
public final class CorruptSpanException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int span;

  CorruptSpanException(int span, String reason) {
    super("span " + span + ": " + reason);
    this.span = span;
  }

  public int span() {
    return span;
  }
}
