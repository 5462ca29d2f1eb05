package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A whole blob on its way in or out: broken off before its last bytes are given where there are
 * fewer than its size or their digest isn't its own. One thread.
 */
final class CheckedBlob extends InputStream {
  private final Digest blob;
  private final long size;
  private final BlobContent content;
  private final Function<String, RegistryException> refusal;
  private final MessageDigest hash;
  private @Nullable InputStream bytes;
  private long given;
  private boolean checked;

  /**
   * @param content opened at the first read
   * @param refusal the failure when its bytes …, e.g. "have another digest"
   */
  CheckedBlob(
      Digest blob, long size, BlobContent content, Function<String, RegistryException> refusal) {
    this.blob = blob;
    this.size = size;
    this.content = content;
    this.refusal = refusal;
    hash = blob.newMessageDigest();
  }

  /**
   * @param bytes open already, and closed by this
   */
  CheckedBlob(
      Digest blob, long size, InputStream bytes, Function<String, RegistryException> refusal) {
    this(blob, size, () -> bytes, refusal);
    this.bytes = bytes;
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
    int count = -1;
    if (given < size) {
      InputStream from = bytes == null ? content.open() : bytes;
      bytes = from;
      count = from.read(into, offset, (int) Math.min(length, size - given));
      if (count < 0) {
        throw refusal.apply("end after " + given + " of " + size);
      }
      hash.update(into, offset, count);
      given += count;
    }
    if (given == size && !checked) {
      checked = true;
      if (!MessageDigest.isEqual(hash.digest(), blob.hash())) {
        throw refusal.apply("have another digest");
      }
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    if (bytes != null) {
      bytes.close();
    }
  }
}
