package dev.socifleet.fuse;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** A name in a request's memory. */
final class RequestName implements Name {
  private final ByteBuffer bytes;
  private int from;
  private int length;

  RequestName(ByteBuffer bytes) {
    this.bytes = bytes;
  }

  void set(int from, int length) {
    this.from = from;
    this.length = length;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public byte at(int index) {
    return bytes.get(from + Objects.checkIndex(index, length));
  }

  @Override
  public boolean equals(ByteBuffer other, int offset, int otherLength) {
    if (otherLength != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (bytes.get(from + i) != other.get(offset + i)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hash() {
    int hash = 0;
    for (int i = 0; i < length; i++) {
      hash = 31 * hash + bytes.get(from + i);
    }
    return hash;
  }

  @Override
  public byte[] toBytes() {
    byte[] copy = new byte[length];
    bytes.get(from, copy);
    return copy;
  }

  @Override
  public String toString() {
    return new String(toBytes(), StandardCharsets.UTF_8);
  }
}
