package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A blob's bytes on their way out in one request: opened at the first read, and broken off before
 * the last bytes leave where their digest isn't the blob's. One thread.
 */
final class CheckedContent extends InputStream {
  private final Digest blob;
  private final long size;
  private final BlobContent content;
  private final MessageDigest hash;
  private @Nullable InputStream bytes;
  private long sent;

  CheckedContent(Digest blob, long size, BlobContent content) {
    this.blob = blob;
    this.size = size;
    this.content = content;
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
    if (sent == size) {
      return -1;
    }
    InputStream from = bytes == null ? content.open() : bytes;
    bytes = from;
    int count = from.read(into, offset, (int) Math.min(length, size - sent));
    if (count < 0) {
      throw refused("end after " + sent + " of " + size);
    }
    hash.update(into, offset, count);
    sent += count;
    if (sent == size && !MessageDigest.isEqual(hash.digest(), blob.hash())) {
      throw refused("have another digest");
    }
    return count;
  }

  private RegistryException refused(String why) {
    return new RegistryException(
        "cannot upload blob " + blob + ": its bytes " + why, 0, List.of(), false, null, null);
  }

  @Override
  public void close() throws IOException {
    if (bytes != null) {
      bytes.close();
    }
  }
}
