package dev.socifleet.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The calls of the C library that the JDK lacks, and all restricted code. A failed call returns
 * {@code -errno}, as the kernel does.
 */
@SuppressWarnings("restricted")
final class Native {
  /** What a caller provides for the errno of a call: memory of this layout, one per thread. */
  static final StructLayout ERRNO = Linker.Option.captureStateLayout();

  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE_ANONYMOUS = 2 | 0x20;
  private static final int MADV_DONTNEED = 4;
  private static final int O_RDWR_CLOEXEC = 2 | 0x80000;
  private static final int LARGEST_STATFS = 256;

  private static final VarHandle ERRNO_VALUE = ERRNO.varHandle(PathElement.groupElement("errno"));
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle OPEN =
      call(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      call("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle READ =
      call("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle WRITE =
      call("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle MOUNT =
      call("mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMOUNT2 =
      call("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle STATFS =
      call("statfs", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle MMAP =
      call(
          "mmap",
          FunctionDescriptor.of(
              ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      call("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle MADVISE =
      call("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle GETPAGESIZE =
      call("getpagesize", FunctionDescriptor.of(JAVA_INT));

  /** Bytes of a page of memory. */
  static final int PAGE = pageSize();

  private Native() {}

  private static MethodHandle call(
      String name, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker.Option[] options = new Linker.Option[more.length + 1];
    System.arraycopy(more, 0, options, 1, more.length);
    options[0] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /** Opens for reading and writing; not inherited by programs that are started. */
  static int open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      int fd = (int) OPEN.invokeExact(errno, arena.allocateFrom(path), O_RDWR_CLOEXEC);
      return fd >= 0 ? fd : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      var _ = (int) CLOSE.invokeExact(arena.allocate(ERRNO), fd);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Allocates nothing. */
  static long read(int fd, MemorySegment to, long bytes, MemorySegment errno) {
    try {
      long n = (long) READ.invokeExact(errno, fd, to, bytes);
      return n >= 0 ? n : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Allocates nothing. */
  static long write(int fd, MemorySegment from, long bytes, MemorySegment errno) {
    try {
      long n = (long) WRITE.invokeExact(errno, fd, from, bytes);
      return n >= 0 ? n : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** mount(2); empty data is none. */
  static int mount(String source, String target, String type, long flags, String data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      MemorySegment options = data.isEmpty() ? MemorySegment.NULL : arena.allocateFrom(data);
      int result =
          (int)
              MOUNT.invokeExact(
                  errno,
                  arena.allocateFrom(source),
                  arena.allocateFrom(target),
                  arena.allocateFrom(type),
                  flags,
                  options);
      return result == 0 ? 0 : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** umount2(2). */
  static int unmount(String target, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      int result = (int) UMOUNT2.invokeExact(errno, arena.allocateFrom(target), flags);
      return result == 0 ? 0 : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Asks the file system at a path for its statistics and tells only whether it answered. */
  static int statfs(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      MemorySegment answer = arena.allocate(LARGEST_STATFS, Long.BYTES);
      int result = (int) STATFS.invokeExact(errno, arena.allocateFrom(path), answer);
      return result == 0 ? 0 : -errno(errno);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Memory for the errno of the calls of one thread; freed by GC. */
  static MemorySegment errnoMemory() {
    return Arena.ofAuto().allocate(ERRNO);
  }

  /** Zeroed memory in whole pages that takes room only where it is touched; freed by GC. */
  static MemorySegment pages(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(ERRNO);
      MemorySegment memory =
          (MemorySegment)
              MMAP.invokeExact(
                  errno, MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (memory.address() == -1L) {
        throw new OutOfMemoryError(
            "cannot map " + bytes + " bytes outside the heap: " + ErrnoText.of(errno(errno)));
      }
      return memory.reinterpret(bytes, Arena.ofAuto(), Native::unmap);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static void unmap(MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      var _ = (int) MUNMAP.invokeExact(arena.allocate(ERRNO), memory, memory.byteSize());
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Gives the room of {@link #pages} back; they are zero when touched again. */
  static void discard(MemorySegment pages, MemorySegment errno) {
    try {
      var _ = (int) MADVISE.invokeExact(errno, pages, pages.byteSize(), MADV_DONTNEED);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static int pageSize() {
    try (Arena arena = Arena.ofConfined()) {
      return (int) GETPAGESIZE.invokeExact(arena.allocate(ERRNO));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static int errno(MemorySegment errno) {
    return (int) ERRNO_VALUE.get(errno, 0L);
  }

  private static RuntimeException broken(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }
}
