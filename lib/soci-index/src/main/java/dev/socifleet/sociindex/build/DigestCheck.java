package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * A blob's bytes; the read that meets their end fails if size or digest aren't the descriptor's.
 * One thread.
 */
public final class DigestCheck extends FilterInputStream {
  private final Descriptor expected;
  private final MessageDigest hash;
  private long size;
  private boolean ended;

  public DigestCheck(InputStream in, Descriptor expected) {
    super(in);
    this.expected = expected;
    hash = expected.digest().newMessageDigest();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int from, int length) throws IOException {
    int n = super.read(to, from, length);
    if (n > 0) {
      hash.update(to, from, n);
      size += n;
      if (size > expected.size()) {
        throw damaged("it has more bytes than the " + expected.size() + " that its manifest says");
      }
    } else if (n < 0 && !ended) {
      ended = true;
      check();
    }
    return n;
  }

  private void check() throws IOException {
    if (size != expected.size()) {
      throw damaged("it has " + size + " bytes, its manifest says " + expected.size());
    }
    Digest actual =
        new Digest(expected.digest().algorithm(), HexFormat.of().formatHex(hash.digest()));
    if (!actual.equals(expected.digest())) {
      throw damaged("its bytes have the digest " + actual);
    }
  }

  private IOException damaged(String why) {
    return new IOException("blob " + expected.digest() + " is damaged: " + why);
  }

  @Override
  public long skip(long n) throws IOException {
    return n <= 0 ? 0 : Math.max(0, read(new byte[(int) Math.min(n, 1 << 16)]));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
