package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

/**
 * A whole blob, checked against its digest at its end. A connection that breaks is taken up again
 * by range where it broke, a few times. One thread.
 */
final class BlobStream extends InputStream {
  private static final int MOST_RESUMPTIONS = 5;

  private final HttpRepository repository;
  private final Digest blob;
  private final long size;
  private final MessageDigest hash;
  private InputStream body;
  private long position;
  private int resumptions;
  private boolean checked;

  BlobStream(HttpRepository repository, Digest blob) throws RegistryException {
    this.repository = repository;
    this.blob = blob;
    hash = blob.newMessageDigest();
    size = repository.blobSize(blob).orElseThrow(() -> absent(repository, blob));
    body = repository.body(blob);
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
    while (position < size) {
      int count;
      try {
        count = body.read(into, offset, (int) Math.min(length, size - position));
      } catch (IOException e) {
        resume(e.getMessage() == null ? e.toString() : e.getMessage());
        continue;
      }
      if (count < 0) {
        resume("it ended " + (size - position) + " bytes early");
        continue;
      }
      hash.update(into, offset, count);
      position += count;
      return count;
    }
    if (!checked) {
      checked = true;
      if (!Arrays.equals(hash.digest(), blob.hash())) {
        throw repository.broken(
            "read blob " + blob, "the registry sent other bytes: their digest differs");
      }
    }
    return -1;
  }

  private void resume(String why) throws IOException {
    body.close();
    if (++resumptions > MOST_RESUMPTIONS) {
      throw repository.lost("read blob " + blob, new IOException(why));
    }
    body = repository.body(blob, new ByteRange(position, size));
  }

  @Override
  public void close() throws IOException {
    body.close();
  }

  private static RegistryException absent(HttpRepository repository, Digest blob) {
    return new RegistryException(
        "cannot read blob "
            + blob
            + " ("
            + repository.name()
            + "): the repository has none of this digest",
        404,
        List.of("BLOB_UNKNOWN"),
        false,
        null,
        null);
  }
}
