package dev.socifleet.node.layers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * Gives a range of a file back to the file system, which the JDK can't: {@code fallocate} with
 * FALLOC_FL_PUNCH_HOLE (Linux, fallocate(2)).
 */
@SuppressWarnings("restricted") // three calls of libc
final class HolePunch {
  private static final int O_WRONLY = 1;
  private static final int O_CLOEXEC = 02000000;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;

  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle FALLOCATE =
      handle(
          "fallocate",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private HolePunch() {}

  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /** Frees the blocks that lie wholly in the range; all of it reads as zeros afterwards. */
  static void punch(Path file, long offset, long length) throws IOException {
    if (length == 0) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file.toString());
      int descriptor = (int) OPEN.invokeExact(path, O_WRONLY | O_CLOEXEC);
      if (descriptor < 0) {
        throw new IOException("cannot open " + file + " to free a part of it");
      }
      int result = (int) FALLOCATE.invokeExact(descriptor, KEEP_SIZE | PUNCH_HOLE, offset, length);
      int closed = (int) CLOSE.invokeExact(descriptor);
      if (result != 0 || closed != 0) {
        throw new IOException(
            "cannot free " + length + " bytes of " + file + ": its file system punches no holes");
      }
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) { // a method handle declares it
      throw new IllegalStateException("a call of libc failed", e);
    }
  }
}
