package dev.socifleet.fetchcache.store;

import dev.socifleet.oci.Digest;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the index knows of a value.
 *
 * <pre>
 *  0         1        5       6
 *  +---------+--------+-------+ +--------+--------+---------+
 *  | version | size   | n     | | length | hash   | start   |  n times
 *  | 1       | 4      | 1     | | 1      | length | 8       |
 *  +---------+--------+-------+ +--------+--------+---------+
 *  version  1
 *  size     of the value in bytes
 *  hash     of the blob that was proved to hold it from byte start on; 32 bytes for sha256, 64 for sha512
 * </pre>
 *
 * <p>Big endian.
 *
 * @param proofs the latest ones; a value that more blobs share is proved again when asked for
 */
record SpanEntry(int size, List<Proof> proofs) {
  static final int MOST_PROOFS = 8;
  private static final byte VERSION = 1;

  SpanEntry {
    proofs = List.copyOf(proofs);
  }

  SpanEntry with(Proof proof) {
    if (proofs.contains(proof)) {
      return this;
    }
    List<Proof> more = new ArrayList<>(proofs);
    if (more.size() == MOST_PROOFS) {
      more.removeFirst();
    }
    more.add(proof);
    return new SpanEntry(size, more);
  }

  byte[] encode() {
    int length = 6;
    for (Proof proof : proofs) {
      length += 9 + proof.blob().hex().length() / 2;
    }
    ByteBuffer to = ByteBuffer.allocate(length);
    to.put(VERSION).putInt(size).put((byte) proofs.size());
    for (Proof proof : proofs) {
      byte[] hash = proof.blob().hash();
      to.put((byte) hash.length).put(hash).putLong(proof.start());
    }
    return to.array();
  }

  /** Null for what this version didn't write. */
  static @Nullable SpanEntry decode(byte[] from) {
    try {
      ByteBuffer in = ByteBuffer.wrap(from);
      if (in.get() != VERSION) {
        return null;
      }
      int size = in.getInt();
      int count = in.get();
      List<Proof> proofs = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        proofs.add(new Proof(digest(in), in.getLong()));
      }
      return size < 1 || count > MOST_PROOFS ? null : new SpanEntry(size, proofs);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return null;
    }
  }

  private static Digest digest(ByteBuffer in) {
    byte[] hash = new byte[Byte.toUnsignedInt(in.get())];
    in.get(hash);
    return new Digest(hash.length == 32 ? "sha256" : "sha512", HexFormat.of().formatHex(hash));
  }
}
