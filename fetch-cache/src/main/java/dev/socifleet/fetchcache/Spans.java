package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanQuestion.Terms;
import dev.socifleet.fetchcache.Flights.Boarded;
import dev.socifleet.fetchcache.Flights.Wanted;
import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.fetchcache.store.Proof;
import dev.socifleet.fetchcache.store.SpanBytes;
import dev.socifleet.fetchcache.store.SpanStore;
import dev.socifleet.fetchcache.store.StoreException;
import dev.socifleet.fetchcache.store.ZtocStore;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves spans: first the caller's right, then, span by span, what is there or gets flown in. A
 * span that is there is served only if it was proved to be in the blob that the caller has a right
 * to. Thread-safe.
 */
final class Spans {
  private static final Logger LOG = LoggerFactory.getLogger(Spans.class);
  private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(3);
  private static final Duration LONGEST_FLIGHT = Duration.ofMinutes(3);

  /** Share of the memory that one span may have. */
  private static final int SPAN_SHARE = 4;

  private final SpanStore store;
  private final ZtocStore ztocs;
  private final Rights rights;
  private final Flights flights;
  private final Peers peers;
  private final Memory memory;
  private final long runBytes;
  private final Counter hits;
  private final Counter misses;
  private final Counter joins;

  /** Takes spans in order. */
  interface Out {
    /**
     * @param hit whether it cost the registry nothing
     */
    void span(SpanBytes bytes, boolean hit) throws IOException, InterruptedException;
  }

  /** How a span can be had. */
  private enum Place {
    STORE,
    REGISTRY,
    /** The same, and a zTOC says that its bytes are there. */
    REGISTRY_TRUSTED
  }

  Spans(
      SpanStore store,
      ZtocStore ztocs,
      Rights rights,
      Flights flights,
      Peers peers,
      Memory memory,
      long runBytes,
      Metrics metrics) {
    this.store = store;
    this.ztocs = ztocs;
    this.rights = rights;
    this.flights = flights;
    this.peers = peers;
    this.memory = memory;
    this.runBytes = runBytes;
    hits = spans(metrics, "hit");
    misses = spans(metrics, "miss");
    joins = spans(metrics, "joined");
  }

  private static Counter spans(Metrics metrics, String result) {
    return metrics.counter(
        "soci_cache_spans_total",
        "Spans asked for: on disk, fetched, or on their way for somebody else already",
        "result",
        result);
  }

  void serve(Caller caller, Digest blob, List<SpanRange> spans, Terms terms, Out out)
      throws Refusal, IOException, InterruptedException {
    for (SpanRange span : spans) {
      if (!span.span().algorithm().equals("sha256")) {
        throw Refusal.malformed("a span's digest is a sha256, not " + span.span());
      }
      if (span.range().length() > memory.totalBytes() / SPAN_SHARE) {
        throw Refusal.of(
            413,
            "too-large",
            "a span of "
                + span.range().length()
                + " bytes is too large for this cache; ask the registry");
      }
    }
    long size = rights.check(caller, blob);
    for (SpanRange span : spans) {
      if (span.range().end() > size) {
        throw Refusal.denied(
            "beyond-blob",
            "bytes " + span.range().toHttp() + " are not all in blob " + blob + " of " + size);
      }
    }
    for (int next = 0; next < spans.size(); ) {
      next = serveFrom(caller, blob, spans, next, terms, out);
    }
  }

  /** Serves some spans, at least one; returns the index of the first that wasn't. */
  private int serveFrom(
      Caller caller, Digest blob, List<SpanRange> spans, int from, Terms terms, Out out)
      throws Refusal, IOException, InterruptedException {
    SpanRange first = spans.get(from);
    Optional<Waiter> joined = flights.join(caller, blob, first);
    if (joined.isPresent()) {
      joins.increment();
      hand(List.of(joined.get()), true, out);
      return from + 1;
    }
    Place place = place(blob, first);
    List<Wanted> run = new ArrayList<>();
    run.add(new Wanted(first, place != Place.REGISTRY));
    if (place != Place.STORE) {
      if (terms == Terms.ONLY_IF_CACHED) {
        throw Refusal.notCached();
      }
      addNeighbours(blob, spans, from, run);
    }
    long bytes = run.stream().mapToLong(wanted -> reserved(wanted.span().range())).sum();
    Memory.Reservation reservation = memory.reserve(bytes, MEMORY_PATIENCE);
    if (reservation == null) {
      throw Refusal.overloaded("too many spans are in memory at once");
    }
    Boarded boarded;
    try (reservation) {
      boarded = flights.board(caller, blob, run, reservation, terms == Terms.FORWARDED);
    }
    if (place == Place.STORE) {
      hits.increment();
    } else {
      joins.increment(boarded.joined());
      misses.increment(run.size() - boarded.joined());
    }
    hand(boarded.waiters(), place == Place.STORE, out);
    return from + run.size();
  }

  /** Each buffer takes whole KiB. */
  private static long reserved(ByteRange range) {
    return Math.ceilDiv(range.length(), 1024) * 1024;
  }

  private void addNeighbours(Digest blob, List<SpanRange> spans, int from, List<Wanted> run)
      throws Refusal {
    ByteRange before = spans.get(from).range();
    long first = before.start();
    for (int i = from + 1; i < spans.size(); i++) {
      ByteRange range = spans.get(i).range();
      boolean neighbour =
          range.start() > before.start()
              && range.start() <= before.end()
              && range.start() >= before.end() - 1
              && range.end() > before.end();
      if (!neighbour
          || range.end() - first > runBytes
          || !peers.together(blob, first, range.start())) {
        return;
      }
      Place place = place(blob, spans.get(i));
      if (place == Place.STORE) {
        return;
      }
      run.add(new Wanted(spans.get(i), place == Place.REGISTRY_TRUSTED));
      before = range;
    }
  }

  private void hand(List<Waiter> waiters, boolean hit, Out out)
      throws Refusal, IOException, InterruptedException {
    int done = 0;
    try {
      while (done < waiters.size()) {
        Waiter waiter = waiters.get(done++);
        try {
          out.span(waiter.await(LONGEST_FLIGHT), hit);
        } finally {
          waiter.leave();
        }
      }
    } finally {
      waiters.subList(done, waiters.size()).forEach(Waiter::leave);
    }
  }

  /**
   * Where a span is, for somebody who may have the blob's bytes.
   *
   * @throws Refusal a zTOC says that these bytes of the blob are another span
   */
  private Place place(Digest blob, SpanRange span) throws Refusal {
    Proof proof = new Proof(blob, span.range().start());
    if (store.isProved(span.span(), proof, span.range().length())) {
      return Place.STORE;
    }
    Optional<Digest> proved = ztocs.provedDigest(blob, span.range());
    if (proved.isEmpty()) {
      return Place.REGISTRY;
    }
    if (!proved.get().equals(span.span())) {
      throw Refusal.denied(
          "span-mismatch",
          "bytes "
              + span.range().toHttp()
              + " of blob "
              + blob
              + " are span "
              + proved.get()
              + ", not "
              + span.span());
    }
    if (store.size(span.span()) != span.range().length()) {
      return Place.REGISTRY_TRUSTED;
    }
    try {
      store.prove(span.span(), proof);
    } catch (StoreException e) {
      LOG.debug("a proof isn't kept: {}", e.getMessage());
    }
    return Place.STORE;
  }
}
