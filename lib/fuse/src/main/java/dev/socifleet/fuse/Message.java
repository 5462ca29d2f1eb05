package dev.socifleet.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory of one answer: header and body without a gap, so that one write(2) sends them. One thread
 * at a time.
 *
 * <pre>
 * small:  | fuse_out_header | body |
 *
 * pages:  | errno …  fuse_out_header | body …     |
 *         0         page-16       page        page + capacity
 * </pre>
 *
 * <p>A large body starts on a page, as the file content does that the kernel copies it to.
 */
final class Message {
  private final MemorySegment whole;
  private final MemorySegment bytes;
  private final MemorySegment errno;
  private final ByteBuffer header;
  private final ByteBuffer body;

  private Message(MemorySegment whole, MemorySegment bytes, MemorySegment errno) {
    this.whole = whole;
    this.bytes = bytes;
    this.errno = errno;
    this.header = bytes.asSlice(0, Abi.OUT_HEADER).asByteBuffer().order(ByteOrder.nativeOrder());
    this.body = bytes.asSlice(Abi.OUT_HEADER).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** For one structure. */
  static Message small() {
    MemorySegment bytes =
        Arena.ofAuto()
            .allocate(Abi.OUT_HEADER + Abi.LARGEST_STRUCTURE, /* byteAlignment= */ Long.BYTES);
    return new Message(bytes, bytes, Native.errnoMemory());
  }

  /** For content. Takes memory only as far as it was written to. */
  static Message pages(int capacity) {
    MemorySegment whole = Native.pages((long) Native.PAGE + capacity);
    return new Message(
        whole,
        whole.asSlice(Native.PAGE - Abi.OUT_HEADER),
        whole.asSlice(0, Native.ERRNO.byteSize()));
  }

  /** The body, in the machine's byte order. */
  ByteBuffer body() {
    return body;
  }

  /** Sends {@code length} bytes of the body, or an errno with none. Returns 0 or {@code -errno}. */
  long send(Device device, long unique, int error, int length) {
    int total = Abi.OUT_HEADER + length;
    header.putInt(0, total).putInt(4, -error).putLong(8, unique);
    long n = device.write(bytes, total, errno);
    return n < 0 ? n : 0;
  }

  /** Gives the memory of {@link #pages} back to the system until it is written again. */
  void discard() {
    Native.discard(whole, errno);
  }
}
