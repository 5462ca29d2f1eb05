package dev.socifleet.node.layers;

import dev.socifleet.fuse.Errno;
import dev.socifleet.node.layers.LayerBytes.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import dev.socifleet.ztoc.CorruptSpanException;
import dev.socifleet.ztoc.Span;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings spans to this node: fetches neighbours together, decodes each into the local store, and
 * lets waiting reads have their bytes as soon as they are out. Thread-safe.
 *
 * <p>A failure that may pass is tried again for as long as {@link #PATIENCE} while anybody waits,
 * each time from the next repository that has the layer; then the reads fail with EIO. The next
 * read begins anew.
 */
final class SpanFetcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SpanFetcher.class);
  static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final long FIRST_PAUSE_MILLIS = 200;
  private static final long LONGEST_PAUSE_MILLIS = 5_000;
  private static final long LARGEST_UNSTORED = 32L << 20;
  private static final int MOST_QUEUED = 8_192;
  private static final int MOST_WAITING = 16_384;

  private final LayerBytes bytes;
  private final Duration patience;
  private final Decoders decoders = new Decoders();
  private final ThreadPoolExecutor threads;
  private final AtomicInteger waiting = new AtomicInteger();
  private final Counter decoded;
  private final Counter failures;
  private final Counter refused;
  private final Counter unstored;
  private final Timer fetches;

  /**
   * @param concurrentFetches the most requests for spans at once
   */
  SpanFetcher(LayerBytes bytes, int concurrentFetches, Duration patience, Metrics metrics) {
    this.bytes = bytes;
    this.patience = patience;
    threads =
        new ThreadPoolExecutor(
            concurrentFetches,
            concurrentFetches,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_QUEUED),
            Thread.ofPlatform().name("spans-", 0).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
    decoded =
        metrics.counter("soci_node_decoded_bytes_total", "Uncompressed bytes of decoded spans");
    failures = metrics.counter("soci_node_span_failures_total", "Spans that could not be had");
    refused = metrics.counter("soci_node_reads_refused_total", "Reads refused as too many waited");
    unstored =
        metrics.counter("soci_node_unstored_spans_total", "Spans that the disk had no room for");
    fetches = metrics.timer("soci_node_fetch_seconds", "Fetching and decoding spans for a read");
    metrics.gauge("soci_node_waiting_reads", "Reads that wait for spans", waiting::get);
  }

  /** Whether another read may wait; it has to say when it was {@link #answered}. */
  boolean admit() {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      refused.increment();
      return false;
    }
    return true;
  }

  void answered() {
    waiting.decrementAndGet();
  }

  /** Brings the spans of these flights here, on another thread; ends each flight. */
  void fetch(LazyLayer layer, List<SpanFlight> flights) {
    try {
      threads.execute(() -> fetches.record(() -> run(layer, new ArrayList<>(flights))));
    } catch (RejectedExecutionException e) {
      flights.forEach(flight -> layer.failed(flight, Errno.IO));
    }
  }

  private void run(LazyLayer layer, List<SpanFlight> left) {
    try {
      left.removeIf(flight -> wasHere(layer, flight));
      fetchPatiently(layer, left);
    } catch (IOException | RuntimeException e) {
      if (!layer.isClosed()) {
        failures.increment(left.size());
        log.warn("cannot read layer {}: {}", layer.key.layer(), e.toString());
      }
    } finally {
      left.forEach(flight -> layer.failed(flight, Errno.IO));
    }
  }

  /** A span that another flight brought meanwhile, or that is from before an unclean end. */
  private static boolean wasHere(LazyLayer layer, SpanFlight flight) {
    LocalSpans local = layer.local;
    if (!local.isWhole(flight.span)) {
      if (!local.isUnverified(flight.span)) {
        return false;
      }
      if (!local.verify(flight.span)) {
        if (local.evict(flight.span)) {
          layer.store().release(local.length(flight.span));
        }
        return false;
      }
    }
    layer.landed(flight);
    return true;
  }

  private void fetchPatiently(LazyLayer layer, List<SpanFlight> left) throws IOException {
    long deadline = System.nanoTime() + patience.toNanos();
    long pause = FIRST_PAUSE_MILLIS;
    List<RepositoryName> repositories = layer.repositories();
    for (int attempt = 0; !left.isEmpty(); attempt++) {
      RepositoryName from = repositories.get(attempt % repositories.size());
      try {
        fetchOnce(layer, from, left);
        return;
      } catch (IOException e) {
        boolean untried = attempt + 1 < repositories.size();
        if (layer.isClosed()
            || (!untried && !mayPass(e))
            || System.nanoTime() - deadline > 0
            || left.stream().noneMatch(SpanFlight::isAwaited)) {
          throw e;
        }
        log.info("layer {} from {}: {}; trying again", layer.key.layer(), from, e.getMessage());
        if (!untried) {
          sleep(pause);
          pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
      }
    }
  }

  private static boolean mayPass(IOException e) {
    return switch (e) {
      case RegistryException registry -> registry.temporary();
      case CorruptSpanException _ -> false;
      default -> true;
    };
  }

  private static void sleep(long millis) throws IOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IOException("the node is closing", e);
    }
  }

  /** Asks for the spans; those that arrive are taken off the list. */
  private void fetchOnce(LazyLayer layer, RepositoryName from, List<SpanFlight> left)
      throws IOException {
    List<SpanRange> ranges = new ArrayList<>();
    for (SpanFlight flight : left) {
      Span span = layer.table.span(flight.span);
      ranges.add(
          new SpanRange(
              Digest.ofHash(span.sha256()),
              new ByteRange(span.compressedStart(), span.compressedEnd())));
    }
    bytes.fetch(
        from,
        layer.key.layer(),
        ranges,
        (range, compressed) -> {
          SpanFlight flight = left.getFirst();
          land(layer, flight, compressed);
          left.removeFirst();
          layer.landed(flight);
        });
    if (!left.isEmpty()) {
      throw new IOException(left.size() + " spans did not come, and nobody said why");
    }
  }

  private void land(LazyLayer layer, SpanFlight flight, byte[] compressed) throws IOException {
    long length = layer.local.length(flight.span);
    layer.store().reserve(length);
    boolean whole = false;
    Decoders.Decoder decoder = decoders.take();
    try {
      whole = decode(layer, flight, compressed, decoder);
      if (whole) {
        decoded.increment(length);
      } else {
        keepInMemory(layer, flight, compressed, decoder);
      }
    } finally {
      decoders.giveBack(decoder);
      if (!whole) {
        layer.store().release(length);
      }
    }
  }

  /** Decodes into the local store; false when that has no room. */
  private static boolean decode(
      LazyLayer layer, SpanFlight flight, byte[] compressed, Decoders.Decoder decoder)
      throws IOException {
    CRC32C crc = new CRC32C();
    try {
      start(layer, flight.span, compressed, decoder);
      decoder.spans.decode((buffer, offset, count) -> {
        try {
          layer.local.write(flight.span, buffer, offset, count);
        } catch (IOException e) {
          throw new NoRoomException(e);
        }
        crc.update(buffer, offset, count);
        flight.progress();
      });
    } catch (NoRoomException e) {
      if (layer.isClosed()) {
        throw e;
      }
      layer.local.evict(flight.span);
      layer.store().retreat();
      log.warn(
          "span {} of layer {} is kept in memory only, others went: {}",
          flight.span,
          layer.key.layer(),
          e.getMessage());
      return false;
    } catch (IOException e) {
      layer.local.evict(flight.span);
      throw e;
    }
    layer.local.complete(flight.span, (int) crc.getValue());
    return true;
  }

  private void keepInMemory(
      LazyLayer layer, SpanFlight flight, byte[] compressed, Decoders.Decoder decoder)
      throws IOException {
    unstored.increment();
    if (layer.local.length(flight.span) > LARGEST_UNSTORED) {
      throw new IOException("no room for span " + flight.span + ", and it is too large for memory");
    }
    start(layer, flight.span, compressed, decoder);
    ByteArrayOutputStream all = new ByteArrayOutputStream((int) layer.local.length(flight.span));
    decoder.spans.decode(all::write);
    layer.store().keepUnstored(layer.local, flight.span, all.toByteArray());
  }

  private static void start(LazyLayer layer, int index, byte[] compressed, Decoders.Decoder decoder)
      throws IOException {
    layer.window(index, decoder.window);
    decoder.spans.startVerified(
        layer.table.span(index),
        index == layer.table.spanCount() - 1,
        layer.table.compression(),
        decoder.window,
        0,
        compressed);
  }

  @Override
  public void close() {
    threads.shutdown();
  }

  /** The local store's disk is full, or broken. */
  private static final class NoRoomException extends IOException {
    private static final long serialVersionUID = 1L;

    NoRoomException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }
}
