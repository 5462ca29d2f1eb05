package dev.socifleet.fetchcache.store;

import io.netty.buffer.PooledByteBufAllocator;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The memory that all requests together may hold values in. Reserved before anything is allocated;
 * who doesn't get it within a while is told to come again. Thread-safe.
 */
public final class Memory {
  private static final int UNIT = 1 << 10;
  private static final long STEP_MILLIS = 100;

  private final int units;
  private final Semaphore free;
  private final Runnable pressure;

  /**
   * Chunks of 16 MiB (8 KiB pages, order 11), so that every span that is stored comes from a pool.
   */
  private final PooledByteBufAllocator allocator =
      new PooledByteBufAllocator(true, 0, 2, 8192, 11, 0, 0, false);

  /**
   * @param pressure called while somebody waits: frees what slow readers hold
   */
  public Memory(long bytes, Runnable pressure) {
    units = Math.toIntExact(bytes / UNIT);
    free = new Semaphore(units, true);
    this.pressure = pressure;
  }

  /** Reserves memory, or null when there is none within the time, or could never be. */
  public @org.jspecify.annotations.Nullable Reservation reserve(long bytes, Duration patience)
      throws InterruptedException {
    long wanted = Math.ceilDiv(bytes, UNIT);
    if (wanted > units) {
      return null;
    }
    long deadline = System.nanoTime() + patience.toNanos();
    while (!free.tryAcquire((int) wanted, STEP_MILLIS, TimeUnit.MILLISECONDS)) {
      if (System.nanoTime() - deadline > 0) {
        return null;
      }
      pressure.run();
    }
    return new Reservation((int) wanted);
  }

  public long totalBytes() {
    return (long) units * UNIT;
  }

  public long usedBytes() {
    return (long) (units - free.availablePermits()) * UNIT;
  }

  /** Memory that nobody else gets until it is closed or made into buffers. One thread. */
  public final class Reservation implements AutoCloseable {
    private int left;

    private Reservation(int units) {
      left = units;
    }

    /**
     * A buffer out of this reservation, whose memory comes back when the buffer's last user goes.
     */
    public SpanBytes allocate(int bytes) {
      int wanted = Math.ceilDiv(bytes, UNIT);
      if (wanted > left) {
        throw new IllegalStateException(bytes + " bytes are more than was reserved");
      }
      left -= wanted;
      try {
        return new SpanBytes(allocator.directBuffer(bytes, bytes), () -> free.release(wanted));
      } catch (Throwable e) {
        left += wanted;
        throw e;
      }
    }

    /** Splits off a part for somebody else. */
    public Reservation split(long bytes) {
      int wanted = Math.toIntExact(Math.ceilDiv(bytes, UNIT));
      if (wanted > left) {
        throw new IllegalStateException(bytes + " bytes are more than was reserved");
      }
      left -= wanted;
      return new Reservation(wanted);
    }

    @Override
    public void close() {
      free.release(left);
      left = 0;
    }
  }
}
