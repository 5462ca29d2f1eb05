package dev.socifleet.fetchcache;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Tells those who wait for spans that somebody is at it. Thread-safe. */
final class Beats implements AutoCloseable {
  /** Half of what {@link dev.socifleet.cacheclient.SpanFrames} promises. */
  private static final long PERIOD_MILLIS = 1_000;

  private final Set<FramedReply> all = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("beats").daemon().factory());

  Beats() {
    var _ =
        timer.scheduleWithFixedDelay(
            () -> all.forEach(FramedReply::beat),
            PERIOD_MILLIS,
            PERIOD_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  void add(FramedReply reply) {
    all.add(reply);
  }

  void remove(FramedReply reply) {
    all.remove(reply);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
