package dev.socifleet.fuse;

import java.nio.ByteBuffer;

/** A name inside a request: some bytes, of no encoding. Valid during the call only. */
public interface Name {
  int length();

  byte at(int index);

  /** Whether it equals {@code length} bytes of a buffer. */
  boolean equals(ByteBuffer bytes, int offset, int length);

  /** 31-polynomial over the bytes, as {@link java.util.Arrays#hashCode(byte[])} without its 1. */
  int hash();

  /** A copy of its bytes. */
  byte[] toBytes();
}
