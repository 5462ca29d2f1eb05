package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;

/** A whole blob, checked against its digest at its end. One thread. */
final class BlobStream extends InputStream {
  private final HttpRepository repository;
  private final Digest blob;
  private final MessageDigest hash;
  private final InputStream bytes;
  private boolean checked;

  /**
   * @param bytes all of the blob's
   */
  BlobStream(HttpRepository repository, Digest blob, InputStream bytes) {
    this.repository = repository;
    this.blob = blob;
    this.bytes = bytes;
    hash = blob.newMessageDigest();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    int count = bytes.read(into, offset, length);
    if (count >= 0) {
      hash.update(into, offset, count);
      return count;
    }
    if (!checked) {
      checked = true;
      if (!Arrays.equals(hash.digest(), blob.hash())) {
        throw repository.otherBytes(blob);
      }
    }
    return -1;
  }

  @Override
  public void close() throws IOException {
    bytes.close();
  }
}
