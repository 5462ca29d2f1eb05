package dev.socifleet.ztoc.inflate;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * What {@link java.util.zip.GZIPInputStream} is, with this package's decoder: faster, every
 * member's checksum and length checked, and bytes behind the last member an error. Not thread-safe.
 * Closing it closes the compressed stream.
 */
public final class GunzipInputStream extends InputStream {
  private static final int INPUT = 128 * 1024;
  private static final int LIMIT = Inflate.WINDOW + 256 * 1024;

  private final InputStream compressed;
  private final GunzipDecoder gunzip = new GunzipDecoder();
  private final byte[] in = new byte[Inflate.MAX_UNREAD + INPUT];
  private final byte[] out = new byte[LIMIT + Inflate.OUTPUT_SLACK];
  private int inEnd;
  private int read = Inflate.WINDOW;
  private boolean ended;

  public GunzipInputStream(InputStream compressed) {
    this.compressed = compressed;
    gunzip.start();
    gunzip.output(out, Inflate.WINDOW, Inflate.WINDOW);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int from, int length) throws IOException {
    Objects.checkFromIndexSize(from, length, buffer.length);
    if (length == 0) {
      return 0;
    }
    if (read == gunzip.outPosition() && !decode()) {
      return -1;
    }
    int n = Math.min(length, gunzip.outPosition() - read);
    System.arraycopy(out, read, buffer, from, n);
    read += n;
    return n;
  }

  @Override
  public int available() {
    return gunzip.outPosition() - read;
  }

  @Override
  public void close() throws IOException {
    compressed.close();
  }

  /** Decodes some more; false at the end. */
  private boolean decode() throws IOException {
    if (gunzip.outPosition() >= LIMIT) {
      gunzip.slide();
      read = gunzip.outPosition();
    }
    try {
      while (!ended && read == gunzip.outPosition()) {
        switch (gunzip.run(LIMIT)) {
          case INPUT -> fill();
          case END -> ended = true;
          case OUTPUT, BOUNDARY -> {}
        }
      }
    } catch (InflateException e) {
      throw new IOException(e.getMessage(), e);
    }
    return read < gunzip.outPosition();
  }

  private void fill() throws IOException {
    int unread = gunzip.unread();
    System.arraycopy(in, inEnd - unread, in, 0, unread);
    int n = compressed.readNBytes(in, unread, INPUT);
    inEnd = unread + n;
    gunzip.input(in, 0, inEnd, n < INPUT);
  }
}
