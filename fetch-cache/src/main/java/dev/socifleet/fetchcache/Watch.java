package dev.socifleet.fetchcache;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Interrupts threads that wait for a registry without getting a byte for too long. Thread-safe. */
final class Watch implements AutoCloseable {
  private final Duration patience;
  private final Set<Watched> all = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("registry-watch").daemon().factory());

  Watch(Duration patience) {
    this.patience = patience;
    long period = Math.max(20, patience.toMillis() / 8);
    var _ =
        timer.scheduleWithFixedDelay(
            () -> all.forEach(Watched::look), period, period, TimeUnit.MILLISECONDS);
  }

  Duration patience() {
    return patience;
  }

  /** Begins to watch this thread. */
  Watched start() {
    Watched watched = new Watched(Thread.currentThread());
    all.add(watched);
    return watched;
  }

  final class Watched implements AutoCloseable {
    private final Thread thread;
    private volatile long since = System.nanoTime();
    private boolean progressed;
    private boolean over;
    private boolean cut;

    private Watched(Thread thread) {
      this.thread = thread;
    }

    /** Something came. */
    void progress() {
      since = System.nanoTime();
      progressed = true;
    }

    /** Whether anything came; asked by the thread that is watched. */
    boolean hasProgressed() {
      return progressed;
    }

    synchronized boolean cut() {
      return cut;
    }

    private synchronized void look() {
      if (!over && !cut && System.nanoTime() - since > patience.toNanos()) {
        cut = true;
        thread.interrupt();
      }
    }

    /** Ends it; an interrupt that came from here is gone with it. */
    @Override
    public synchronized void close() {
      over = true;
      all.remove(this);
      if (cut) {
        var _ = Thread.interrupted();
      }
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
