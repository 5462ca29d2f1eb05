package dev.socifleet.oci;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bytes from {@code start} up to, not including, {@code end} of a blob. Never empty. */
public record ByteRange(long start, long end) {
  private static final Pattern HTTP = Pattern.compile("(\\d{1,18})-(\\d{1,18})");

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
    Matcher range = HTTP.matcher(text);
    if (!range.matches()) {
      throw new IllegalArgumentException("not <first byte>-<last byte>: '" + text + "'");
    }
    return new ByteRange(Long.parseLong(range.group(1)), Long.parseLong(range.group(2)) + 1);
  }
}
