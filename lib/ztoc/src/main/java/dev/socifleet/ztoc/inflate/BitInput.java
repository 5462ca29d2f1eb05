package dev.socifleet.ztoc.inflate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Compressed bytes, and the bits that were taken out of them. Not thread-safe; reusable.
 *
 * <p>The bit buffer is a long, refilled by one unaligned load: the bytes that fit are added and
 * counted, the bits of the byte that only fits in part are added too but not counted; they will be
 * or-ed onto themselves by the next load. A refill leaves at least 56 bits.
 *
 * <p>So it may read past the end. {@link #available} sees to it that there is something to read: it
 * asks for more when few bytes are left, and once it is told that there is no more, it moves to an
 * array of its own that holds the rest and zeros behind it. What was read is counted, and {@link
 * #check} says whether bits were taken out of the padding.
 *
 * <p>Fields, not methods, for the loop that keeps them in locals: {@link Inflate#run}.
 */
final class BitInput {
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final byte[] tail = new byte[2 * Inflate.MAX_UNREAD];

  byte[] bytes = tail;

  /** Index of the next byte to be added to the bits. */
  int at;

  int end;

  /** Whether the array is the one of its own. */
  boolean inTail;

  long bits;
  int count;

  private boolean last;

  /** Compressed offset of index 0. */
  private long base;

  /** Forgets everything; the next input begins at compressed offset {@code position}. */
  void reset(long position) {
    bytes = tail;
    inTail = false;
    at = 0;
    end = 0;
    base = position;
    last = false;
    align();
  }

  /** See {@link Inflate#input}. */
  void give(byte[] buffer, int from, int to, boolean noMore) {
    if (to - from < unread()) {
      throw new IllegalArgumentException("the unread bytes must come first in new input");
    }
    base += at - (long) from;
    bytes = buffer;
    inTail = false;
    at = from;
    end = to;
    last = noMore;
  }

  /** Takes the high {@code n} bits of the next byte for the first ones. */
  void startInByte(int n) {
    align();
    if (n != 0) {
      bits = (long) (bytes[at++] & 0xff) >>> (8 - n);
      count = n;
    }
  }

  /** Drops the bits up to the next whole byte. */
  void align() {
    bits = 0;
    count = 0;
  }

  /** The next byte, or -1 if there is none now. Only at a whole byte. */
  int nextByte() {
    return at < end ? bytes[at++] & 0xff : -1;
  }

  boolean noMore() {
    return last;
  }

  int unread() {
    return end - at;
  }

  /** Compressed offset of the first byte of which nothing was consumed. */
  long position() {
    return base + at;
  }

  /** Whether {@code n} bytes can be read, if need be behind the end. */
  boolean available(int n) {
    if (end - at >= n || inTail) {
      return true;
    }
    if (!last) {
      return false;
    }
    int rest = end - at;
    System.arraycopy(bytes, at, tail, 0, rest);
    Arrays.fill(tail, rest, tail.length, (byte) 0);
    base += at;
    bytes = tail;
    inTail = true;
    at = 0;
    end = rest;
    return true;
  }

  void refill() {
    bits |= (long) LONG.get(bytes, at) << count;
    at += (63 - count) >>> 3;
    count |= 56;
  }

  int take(int n) {
    if (count < n) {
      refill();
    }
    int value = (int) bits & ((1 << n) - 1);
    bits >>>= n;
    count -= n;
    return value;
  }

  /** The four bytes from the next whole byte on, the lowest first. */
  int takeWord() {
    giveBack();
    align();
    int word = (int) (long) LONG.get(bytes, at);
    at += 4;
    return word;
  }

  /** Gives whole bytes back: fewer than 8 bits are held then. */
  void giveBack() {
    at -= count >>> 3;
    count &= 7;
    bits &= (1L << count) - 1;
  }

  /** Fails if more was taken than there is. */
  void check() throws InflateException {
    if (at > end) {
      throw cut();
    }
  }

  InflateException cut() {
    return new InflateException("compressed data ends in the middle of a block", base + end);
  }

  /** What is wrong; or, if it was read out of the padding, that the data ends too early. */
  InflateException error(String reason) {
    return at > end ? cut() : new InflateException(reason, base + at);
  }
}
