package dev.socifleet.fuse;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The open connection to the kernel. Thread-safe. Its descriptor is closed once that was asked for
 * and nobody is between {@link #enter} and {@link #leave}: after that, the same number may be
 * another file.
 */
final class Device {
  static final String PATH = "/dev/fuse";

  private final int fd;
  // Those in a call, and one for the owner.
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  Device(int fd) {
    this.fd = fd;
  }

  static Device open(String path) throws IOException {
    int fd = Native.open(path);
    if (fd >= 0) {
      return new Device(fd);
    }
    String advice =
        switch (-fd) {
          case Errno.NOENT, ErrnoText.ENXIO, ErrnoText.ENODEV ->
              ": load the kernel's module (modprobe fuse); in a container, pass the device"
                  + " (--device /dev/fuse)";
          case ErrnoText.EPERM, ErrnoText.EACCES ->
              ": run as root; in a container, allow the device (--device /dev/fuse) and"
                  + " CAP_SYS_ADMIN";
          default -> "";
        };
    throw new IOException("cannot open " + path + ": " + ErrnoText.of(-fd) + advice);
  }

  int descriptor() {
    return fd;
  }

  /** Whether the descriptor may be used until {@link #leave}. */
  boolean enter() {
    int now = users.get();
    while (now > 0) {
      if (users.compareAndSet(now, now + 1)) {
        return true;
      }
      now = users.get();
    }
    return false;
  }

  void leave() {
    if (users.decrementAndGet() == 0) {
      Native.close(fd);
    }
  }

  /** Only between enter and leave. Waits for a request; returns its bytes or {@code -errno}. */
  long read(MemorySegment to, MemorySegment errno) {
    return Native.read(fd, to, to.byteSize(), errno);
  }

  /** Only between enter and leave. */
  long write(MemorySegment from, int bytes, MemorySegment errno) {
    return Native.write(fd, from, bytes, errno);
  }

  void close() {
    if (closed.compareAndSet(false, true)) {
      leave();
    }
  }
}
