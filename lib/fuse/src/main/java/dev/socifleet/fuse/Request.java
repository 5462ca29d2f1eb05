package dev.socifleet.fuse;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The request that a thread has read last, in memory that the next one takes over. Nothing outside
 * its bytes is ever read, whatever it says of itself.
 */
final class Request {
  /** Many FORGETs come in one request as long as it has room; nothing else is large. */
  private static final int CAPACITY = 16 * 1024;

  private final MemorySegment memory = Native.pages(Math.max(CAPACITY, Abi.LEAST_READ_BUFFER));
  private final MemorySegment errno = Native.errnoMemory();
  private final ByteBuffer bytes = memory.asByteBuffer().order(ByteOrder.nativeOrder());
  private final RequestName name = new RequestName(bytes);
  private int length;

  /** Waits for the next one. Returns its length, 0 at the connection's end, or {@code -errno}. */
  long read(Device device) {
    length = 0;
    long n = device.read(memory, errno);
    if (n > 0) {
      length = (int) n;
    }
    return n;
  }

  /** Whether there is a header that can be answered. */
  boolean isWhole() {
    return length >= Abi.IN_HEADER && bytes.getInt(0) == length;
  }

  int opcode() {
    return bytes.getInt(4);
  }

  long unique() {
    return bytes.getLong(8);
  }

  long node() {
    return bytes.getLong(16);
  }

  /** Whether the body has at least so many bytes. */
  boolean has(int bodyBytes) {
    return length - Abi.IN_HEADER >= bodyBytes;
  }

  int bodyInt(int offset) {
    return bytes.getInt(Abi.IN_HEADER + offset);
  }

  long bodyLong(int offset) {
    return bytes.getLong(Abi.IN_HEADER + offset);
  }

  /** Whether a name that ends with NUL starts at an offset of the body; then {@link #name()}. */
  boolean findName(int offset) {
    int from = Abi.IN_HEADER + offset;
    for (int i = from; i < length; i++) {
      if (bytes.get(i) == 0) {
        name.set(from, i - from);
        return i > from;
      }
    }
    return false;
  }

  Name name() {
    return name;
  }
}
