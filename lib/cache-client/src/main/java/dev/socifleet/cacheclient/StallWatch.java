package dev.socifleet.cacheclient;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Ends bodies whose next byte doesn't come while somebody waits for it. Thread-safe. */
final class StallWatch implements AutoCloseable {
  private final Duration patience;
  private final Set<Watched> open = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("cache-watch").daemon().factory());

  StallWatch(Duration patience) {
    this.patience = patience;
    long period = Math.max(20, patience.toMillis() / 4);
    var _ =
        timer.scheduleWithFixedDelay(
            () -> open.forEach(Watched::look), period, period, TimeUnit.MILLISECONDS);
  }

  InputStream watch(InputStream body) {
    return new Watched(body);
  }

  private final class Watched extends FilterInputStream {
    private volatile boolean reading;
    private volatile long since = System.nanoTime();

    Watched(InputStream body) {
      super(body);
      open.add(this);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      since = System.nanoTime();
      reading = true;
      try {
        return super.read(into, offset, length);
      } catch (IOException e) {
        if (tooLong()) {
          throw new IOException("no byte for " + patience.toMillis() + " ms", e);
        }
        throw e;
      } finally {
        reading = false;
      }
    }

    private boolean tooLong() {
      return System.nanoTime() - since > patience.toNanos();
    }

    void look() {
      if (reading && tooLong()) {
        try {
          super.close(); // ends the read that waits
        } catch (IOException e) {
          reading = false; // the reader learns of it by its own read
        }
      }
    }

    @Override
    public void close() throws IOException {
      open.remove(this);
      super.close();
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
