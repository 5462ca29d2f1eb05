package dev.socifleet.oci;

/** The bytes from {@code start} up to, not including, {@code end} of a blob. Never empty. */
public record ByteRange(long start, long end) {
  public ByteRange {
    if (start < 0 || end <= start) {
      throw new IllegalArgumentException("not a range of bytes: [" + start + ", " + end + ")");
    }
  }

  public long length() {
    return end - start;
  }

  /** As in the HTTP header {@code Range: bytes=a-b}: both ends inclusive (RFC 9110, 14.1.2). */
  public String toHttp() {
    return start + "-" + (end - 1);
  }

  /** Parses {@link #toHttp()}'s form. */
  public static ByteRange parseHttp(String text) {
    int dash = text.indexOf('-');
    if (dash <= 0) {
      throw new IllegalArgumentException("not <first byte>-<last byte>: '" + text + "'");
    }
    try {
      return new ByteRange(
          Long.parseLong(text.substring(0, dash)),
          Math.addExact(Long.parseLong(text.substring(dash + 1)), 1));
    } catch (NumberFormatException | ArithmeticException e) {
      throw new IllegalArgumentException("not <first byte>-<last byte>: '" + text + "'", e);
    }
  }
}
