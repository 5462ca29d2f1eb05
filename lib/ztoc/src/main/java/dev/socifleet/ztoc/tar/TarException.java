package dev.socifleet.ztoc.tar;

/** The uncompressed bytes are not a tar archive that a zTOC can describe. */
public final class TarException extends Exception {
  private static final long serialVersionUID = 1L;

  private final long offset;

  TarException(String reason, long offset) {
    super(reason + " at uncompressed offset " + offset);
    this.offset = offset;
  }

  /** Where in the uncompressed stream it was noticed. */
  public long offset() {
    return offset;
  }
}
