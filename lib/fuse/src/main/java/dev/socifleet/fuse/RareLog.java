package dev.socifleet.fuse;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** Warnings that a container may cause as often as it likes: one in ten seconds, with a count. */
final class RareLog {
  private static final long PAUSE = TimeUnit.SECONDS.toNanos(10);

  private final Logger log;
  private final AtomicLong next = new AtomicLong(System.nanoTime());
  private final AtomicLong silent = new AtomicLong();

  RareLog(Logger log) {
    this.log = log;
  }

  void warn(String message, @Nullable Throwable cause) {
    long now = System.nanoTime();
    long due = next.get();
    if (now - due < 0 || !next.compareAndSet(due, now + PAUSE)) {
      silent.incrementAndGet();
      return;
    }
    long left = silent.getAndSet(0);
    String more = left == 0 ? "" : " (and " + left + " warnings before that were left out)";
    log.warn("{}{}", message, more, cause);
  }
}
