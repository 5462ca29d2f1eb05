package dev.socifleet.ztoc.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/**
 * What one input may cost: a second of processor time, and 64 MiB of allocations beyond what its
 * size justifies. Measured in the calling thread.
 */
final class Limits {
  /** Processor time, so that a busy machine doesn't look like a hang. */
  private static final long MOST_NANOS = 1_000_000_000;

  private static final long MOST_BYTES = 64L << 20;

  /** Bytes that may be allocated for each byte of the input, and of what it decompresses to. */
  private static final long BYTES_PER_BYTE = 64;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Limits() {}

  /**
   * Does some work, and once more if it cost too much: the first time, classes may have been
   * loaded.
   *
   * @param work returns the bytes of its input and of what that decompresses to
   */
  static void check(LongSupplier work) {
    for (int attempt = 0; !isWithin(work); attempt++) {
      if (attempt == 1) {
        throw new AssertionError("more than a second, or than 64 MiB, also when repeated");
      }
    }
  }

  private static boolean isWithin(LongSupplier work) {
    long nanos = THREADS.getCurrentThreadCpuTime();
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    long size = work.getAsLong();
    return THREADS.getCurrentThreadCpuTime() - nanos <= MOST_NANOS
        && THREADS.getCurrentThreadAllocatedBytes() - bytes <= MOST_BYTES + BYTES_PER_BYTE * size;
  }
}
