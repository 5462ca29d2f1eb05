package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * INIT, the kernel's first request: both say what they can, and go on with what both can. The
 * layouts are drawn in {@link Abi}.
 */
final class Handshake {
  private static final int PROTOCOL_ERROR = 71;
  private static final short PARALLEL = 4096;

  /**
   * READDIRPLUS always and not as the kernel sees fit: {@code find} and overlayfs list a directory
   * to its end before they ask for the first attributes, after which it is too late to guess.
   */
  private static final long WANTED =
      Abi.ASYNC_READ
          | Abi.DO_READDIRPLUS
          | Abi.NO_OPEN_SUPPORT
          | Abi.PARALLEL_DIROPS
          | Abi.MAX_PAGES
          | Abi.CACHE_SYMLINKS
          | Abi.NO_OPENDIR_SUPPORT
          | Abi.INIT_EXT
          | Abi.HAS_RESEND;

  private static final long NEEDED =
      Abi.DO_READDIRPLUS | Abi.NO_OPEN_SUPPORT | Abi.MAX_PAGES | Abi.NO_OPENDIR_SUPPORT;

  private Handshake() {}

  /** Reads INIT, which the kernel has sent when it mounted, and answers it. */
  static void perform(Device device, int maxPayload) throws IOException {
    Request request = new Request();
    long n;
    do {
      n = request.read(device);
    } while (n == -Errno.INTR || n == -Errno.AGAIN);
    if (n < 0) {
      throw new IOException("cannot read the kernel's first request: " + ErrnoText.of((int) -n));
    }
    if (!request.isWhole() || request.opcode() != Abi.INIT || !request.has(Abi.INIT_IN)) {
      throw new IOException("the kernel's first request isn't a valid INIT");
    }
    Message message = Message.small();
    long offered = offered(request);
    String problem = problem(request.bodyInt(0), request.bodyInt(4), offered);
    if (problem != null) {
      message.send(device, request.unique(), PROTOCOL_ERROR, 0);
      throw new IOException(problem);
    }
    write(message.body(), request, offered & WANTED, maxPayload);
    long result = message.send(device, request.unique(), 0, Abi.INIT_OUT);
    if (result < 0) {
      throw new IOException("the kernel refuses our INIT: " + ErrnoText.of((int) -result));
    }
  }

  private static long offered(Request request) {
    long flags = Integer.toUnsignedLong(request.bodyInt(12));
    if ((flags & Abi.INIT_EXT) != 0 && request.has(Abi.INIT_IN + Integer.BYTES)) {
      flags |= Integer.toUnsignedLong(request.bodyInt(16)) << 32;
    }
    return flags;
  }

  private static @Nullable String problem(int major, int minor, long offered) {
    if (major != Abi.MAJOR || minor < Abi.LEAST_MINOR) {
      return "the kernel speaks FUSE %d.%d, and %d.%d is needed: use Linux 5.4 or newer"
          .formatted(major, minor, Abi.MAJOR, Abi.LEAST_MINOR);
    }
    if ((offered & NEEDED) != NEEDED) {
      return "the kernel's FUSE lacks features %#x: use Linux 5.4 or newer"
          .formatted(NEEDED & ~offered);
    }
    return null;
  }

  private static void write(ByteBuffer to, Request request, long flags, int maxPayload) {
    for (int i = 0; i < Abi.INIT_OUT; i += Long.BYTES) {
      to.putLong(i, 0);
    }
    to.putInt(0, Abi.MAJOR);
    to.putInt(4, Math.min(request.bodyInt(4), Abi.MINOR));
    // The kernel takes less only; more is set through sysfs.
    to.putInt(8, request.bodyInt(8));
    to.putInt(12, (int) flags);
    to.putShort(16, PARALLEL);
    to.putShort(18, PARALLEL);
    to.putInt(20, Abi.MAX_WRITE);
    to.putInt(24, /* nanoseconds */ 1);
    to.putShort(28, (short) (maxPayload / Native.PAGE));
    to.putInt(32, (int) (flags >>> 32));
  }
}
