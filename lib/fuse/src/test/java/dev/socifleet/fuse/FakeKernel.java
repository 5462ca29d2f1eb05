package dev.socifleet.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The kernel's side of a connection without a mount, for what the kernel itself would never send. A
 * pair of SOCK_SEQPACKET sockets keeps requests and answers apart as /dev/fuse does.
 */
@SuppressWarnings("restricted")
final class FakeKernel implements AutoCloseable {
  private static final int AF_UNIX = 1;
  private static final int SOCK_SEQPACKET = 5;
  private static final int LARGEST_ANSWER = 128 << 10;

  /** What came back: an errno or 0, and a body. */
  record Answered(long unique, int errno, ByteBuffer body) {
    byte[] bytes() {
      byte[] bytes = new byte[body.capacity()];
      body.get(0, bytes);
      return bytes;
    }

    String text() {
      return new String(bytes(), StandardCharsets.UTF_8);
    }
  }

  final Device device;
  private final int fd;
  private final MemorySegment in = Native.pages(LARGEST_ANSWER);
  private final MemorySegment out = Native.pages(LARGEST_ANSWER);
  private final MemorySegment errno = Native.errnoMemory();
  private long unique;

  FakeKernel() throws Throwable {
    MethodHandle socketpair =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("socketpair"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pair = arena.allocate(JAVA_INT, 2);
      int result = (int) socketpair.invokeExact(AF_UNIX, SOCK_SEQPACKET, 0, pair);
      if (result != 0) {
        throw new IllegalStateException("no socketpair");
      }
      device = new Device(pair.getAtIndex(JAVA_INT, 0));
      fd = pair.getAtIndex(JAVA_INT, 1);
    }
  }

  static ByteBuffer body(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }

  static ByteBuffer name(String name) {
    return ByteBuffer.wrap((name + "\0").getBytes(StandardCharsets.UTF_8));
  }

  /** The body of a GETXATTR. */
  static ByteBuffer xattr(int size, String name) {
    byte[] bytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
    return body(8 + bytes.length).putInt(0, size).put(8, bytes);
  }

  /** The body of a READ or READDIR. */
  static ByteBuffer range(long offset, int size) {
    return body(Abi.READ_IN).putLong(8, offset).putInt(16, size);
  }

  /** Sends a request and returns its unique. */
  long send(int opcode, long node, ByteBuffer body) {
    unique += 2;
    ByteBuffer bytes = body(Abi.IN_HEADER + body.limit());
    bytes.putInt(0, bytes.capacity()).putInt(4, opcode).putLong(8, unique).putLong(16, node);
    bytes.put(Abi.IN_HEADER, body, 0, body.limit());
    byte[] whole = new byte[bytes.capacity()];
    bytes.get(0, whole);
    sendRaw(whole);
    return unique;
  }

  void sendRaw(byte[] bytes) {
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, out, 0, bytes.length);
    long n = Native.write(fd, out, bytes.length, errno);
    if (n != bytes.length) {
      throw new IllegalStateException("sent " + n + " of " + bytes.length);
    }
  }

  /** Waits for an answer. */
  Answered receive() {
    long n = Native.read(fd, in, LARGEST_ANSWER, errno);
    ByteBuffer bytes = in.asByteBuffer().order(ByteOrder.nativeOrder());
    if (n < Abi.OUT_HEADER || bytes.getInt(0) != n) {
      throw new IllegalStateException("an answer of " + n + " bytes that says " + bytes.getInt(0));
    }
    ByteBuffer body = body((int) n - Abi.OUT_HEADER);
    body.put(0, bytes, Abi.OUT_HEADER, body.capacity());
    return new Answered(bytes.getLong(8), -bytes.getInt(4), body);
  }

  Answered ask(int opcode, long node, ByteBuffer body) {
    long sent = send(opcode, node, body);
    Answered answered = receive();
    if (answered.unique() != sent) {
      throw new IllegalStateException(
          "asked " + sent + ", and the answer is for " + answered.unique());
    }
    return answered;
  }

  /** Asks for the root's attributes until their answer comes, dropping others before it. */
  void passOthers() {
    long sent = send(Abi.GETATTR, FileSystem.ROOT, body(16));
    while (receive().unique() != sent) {
      // Somebody else's.
    }
  }

  void interrupt(long interrupted) {
    send(Abi.INTERRUPT, 0, body(8).putLong(0, interrupted));
  }

  /** The session's threads read the connection's end. */
  @Override
  public void close() {
    Native.close(fd);
    device.close();
  }
}
