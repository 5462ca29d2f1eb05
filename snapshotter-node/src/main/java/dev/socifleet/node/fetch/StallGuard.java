package dev.socifleet.node.fetch;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Ends transfers that stand still: the HTTP client has no time-out for a body, and a server that
 * stops in the middle of one would hold its reader for ever. Thread-safe.
 */
public final class StallGuard implements AutoCloseable {
  private static final long NOT_READING = 0;

  private final Duration limit;
  private final Set<Guarded> open = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService clock;

  /**
   * @param limit how long one read may wait; noticed up to a quarter of it later
   */
  public StallGuard(Duration limit) {
    this.limit = limit;
    clock =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("stall-guard").daemon().factory());
    long period = Math.max(1, limit.toMillis() / 4);
    var _ = clock.scheduleAtFixedRate(this::look, period, period, TimeUnit.MILLISECONDS);
  }

  /**
   * The same stream, whose reads fail when nothing comes for too long. To be closed by its reader.
   *
   * @param what is read, for the error: {@code "blob sha256:… of registry/repository"}
   */
  public InputStream guard(InputStream body, String what) {
    Guarded guarded = new Guarded(body, what);
    open.add(guarded);
    return guarded;
  }

  private void look() {
    long now = System.nanoTime();
    for (Guarded guarded : open) {
      long since = guarded.readingSince;
      if (since != NOT_READING && now - since > limit.toNanos() && !guarded.stalled) {
        guarded.stalled = true;
        // Closing is what wakes the reader. It could block, and the others have to be looked at.
        Thread.startVirtualThread(guarded::closeQuietly);
      }
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }

  private final class Guarded extends InputStream {
    private final InputStream body;
    private final String what;
    private volatile long readingSince = NOT_READING;
    private volatile boolean stalled;

    Guarded(InputStream body, String what) {
      this.body = body;
      this.what = what;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      readingSince = System.nanoTime() | 1; // never NOT_READING
      try {
        int count = body.read(into, offset, length);
        if (count >= 0 || !stalled) {
          stalled = false; // a body that takes itself up again after a break
          return count;
        }
      } catch (IOException e) {
        if (!stalled) {
          throw e;
        }
      } finally {
        readingSince = NOT_READING;
      }
      throw new IOException(
          "cannot read " + what + ": nothing came for " + limit.toMillis() / 1000.0 + " s");
    }

    private void closeQuietly() {
      try {
        body.close();
      } catch (IOException e) {
        // the reader gets an error of its own
      }
    }

    @Override
    public void close() throws IOException {
      open.remove(this);
      body.close();
    }
  }
}
