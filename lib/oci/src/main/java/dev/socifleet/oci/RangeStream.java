package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Exactly one range of a body that may be longer; a body that ends early is a failure, not an end.
 * One thread.
 */
final class RangeStream extends InputStream {
  private final InputStream body;
  private final String action;
  private long left;

  RangeStream(InputStream body, ByteRange range, String action) {
    this.body = body;
    this.action = action;
    left = range.length();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (left == 0) {
      return -1;
    }
    int count;
    try {
      count = body.read(into, offset, (int) Math.min(length, left));
    } catch (IOException e) {
      throw failure("the connection was lost: " + e.getMessage(), e);
    }
    if (count < 0) {
      throw failure("it ended " + left + " bytes early", null);
    }
    left -= count;
    return count;
  }

  @Override
  public void close() throws IOException {
    body.close();
  }

  private RegistryException failure(
      String why, @org.jspecify.annotations.Nullable IOException cause) {
    return new RegistryException("cannot " + action + ": " + why, 0, List.of(), true, null, cause);
  }
}
