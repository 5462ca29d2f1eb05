package dev.socifleet.node.layers;

import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The uncompressed spans of all layers on this node, bounded in bytes: past the bound the spans
 * that were not used for the longest time go. Thread-safe.
 */
final class LocalStore implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LocalStore.class);
  private static final long SYNC_SECONDS = 2;

  /** Bytes of spans that are kept in memory because the disk had no room. */
  private static final long MOST_UNSTORED = 64L << 20;

  private final long limitBytes;
  private final AtomicLong used = new AtomicLong();
  private final List<LocalSpans> layers = new CopyOnWriteArrayList<>();
  private final Counter evicted;
  private final ScheduledExecutorService syncer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("local-spans").daemon().factory());

  /** Spans in memory only, the oldest first. Guarded by itself. */
  private final LinkedHashMap<Unstored, Long> unstored = new LinkedHashMap<>();

  private record Unstored(LocalSpans layer, int span) {}

  private record Candidate(LocalSpans layer, int span, int lastUse) {}

  LocalStore(long limitBytes, Metrics metrics) {
    this.limitBytes = limitBytes;
    metrics.gauge("soci_node_local_bytes", "Uncompressed bytes of spans on this node", used::get);
    metrics.gauge("soci_node_local_limit_bytes", "The most of them", () -> limitBytes);
    evicted =
        metrics.counter("soci_node_local_evicted_total", "Spans taken out of the local store");
    var _ = syncer.scheduleWithFixedDelay(this::sync, SYNC_SECONDS, SYNC_SECONDS, TimeUnit.SECONDS);
  }

  /** Opens a layer's spans, which count from now on. */
  LocalSpans open(NodeTable table, Path directory) throws IOException {
    LocalSpans spans = LocalSpans.open(table, directory);
    used.addAndGet(spans.bytes());
    layers.add(spans);
    makeRoom();
    return spans;
  }

  /** Closes a layer's spans in order. */
  void close(LocalSpans spans) throws IOException {
    synchronized (unstored) {
      unstored.keySet().removeIf(kept -> kept.layer() == spans);
    }
    if (layers.remove(spans)) {
      used.addAndGet(-spans.bytes());
      spans.close();
    }
  }

  /** Bytes of a span are about to come; others go if there are too many. */
  void reserve(long bytes) {
    used.addAndGet(bytes);
    makeRoom();
  }

  /** Those bytes did not come, or were taken away again. */
  void release(long bytes) {
    used.addAndGet(-bytes);
  }

  private void makeRoom() {
    if (used.get() > limitBytes) {
      evictTo(limitBytes - limitBytes / 16);
    }
  }

  /** The disk was full before the limit was reached: gives a part back. */
  void retreat() {
    long held = used.get();
    evictTo(held - held / 8);
  }

  /** Keeps a whole span in memory, for as long as not too many others come after it. */
  void keepUnstored(LocalSpans layer, int span, byte[] bytes) {
    List<Unstored> gone = new ArrayList<>();
    synchronized (unstored) {
      unstored.put(new Unstored(layer, span), (long) bytes.length);
      long sum = unstored.values().stream().mapToLong(Long::longValue).sum();
      var oldest = unstored.entrySet().iterator();
      while (sum > MOST_UNSTORED && oldest.hasNext()) {
        var entry = oldest.next();
        sum -= entry.getValue();
        gone.add(entry.getKey());
        oldest.remove();
      }
    }
    layer.keepUnstored(span, bytes);
    gone.forEach(old -> old.layer().dropUnstored(old.span()));
  }

  private synchronized void evictTo(long target) {
    List<Candidate> candidates = new ArrayList<>();
    int now = LocalSpans.now();
    for (LocalSpans layer : layers) {
      layer.forEachEvictable(
          span -> candidates.add(new Candidate(layer, span, layer.lastUse(span))));
    }
    candidates.sort(Comparator.comparingInt(candidate -> candidate.lastUse() - now));
    for (Candidate candidate : candidates) {
      if (used.get() <= target) {
        return;
      }
      if (candidate.layer().evict(candidate.span())) {
        release(candidate.layer().length(candidate.span()));
        evicted.increment();
      }
    }
  }

  private void sync() {
    for (LocalSpans layer : layers) {
      try {
        layer.sync();
      } catch (ClosedChannelException e) {
        log.debug("a layer was closed, which synced it, before its turn came");
      } catch (IOException e) {
        log.warn("spans of a layer aren't on disk yet: {}", e.toString());
      }
    }
  }

  @Override
  public void close() {
    syncer.shutdown();
    try {
      if (!syncer.awaitTermination(SYNC_SECONDS, TimeUnit.SECONDS)) {
        log.warn("spans are still being written");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (LocalSpans layer : layers) {
      try {
        close(layer);
      } catch (IOException e) {
        log.warn("the spans of a layer weren't closed in order: {}", e.toString());
      }
    }
  }
}
