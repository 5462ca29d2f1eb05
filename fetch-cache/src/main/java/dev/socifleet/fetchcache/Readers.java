package dev.socifleet.fetchcache;

import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Who is being sent something. Slow readers hold memory, which is bounded: while somebody waits for
 * some, those are cut who have not taken a piece for a while. So 500 of them don't stop a fast one.
 * Thread-safe.
 */
final class Readers {
  private static final Duration STALLED = Duration.ofSeconds(1);

  private final Set<Reply> all = ConcurrentHashMap.newKeySet();
  private final Counter cut;

  Readers(Metrics metrics) {
    cut =
        metrics.counter(
            "soci_cache_readers_cut_total", "Answers cut off because nobody took their bytes");
    metrics.gauge("soci_cache_readers", "Answers being sent", all::size);
  }

  void add(Reply reply) {
    all.add(reply);
  }

  void remove(Reply reply) {
    all.remove(reply);
  }

  void cutStalled() {
    for (Reply reply : all) {
      if (reply.stalledFor().compareTo(STALLED) > 0) {
        reply.cut();
      }
    }
  }

  void countCut() {
    cut.increment();
  }
}
