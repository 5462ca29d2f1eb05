package dev.socifleet.ztoc.inflate;

/** The compressed bytes are not a gzip or deflate stream, or are cut. */
public final class InflateException extends Exception {
  private static final long serialVersionUID = 1L;

  private final long offset;

  InflateException(String reason, long offset) {
    super(reason + " at compressed offset " + offset);
    this.offset = offset;
  }

  /** Compressed bytes before the place where it was noticed. */
  public long offset() {
    return offset;
  }
}
