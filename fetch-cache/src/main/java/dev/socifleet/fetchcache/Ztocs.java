package dev.socifleet.fetchcache;

import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.fetchcache.store.SpanBytes;
import dev.socifleet.fetchcache.store.SpanStore;
import dev.socifleet.fetchcache.store.SpanTable;
import dev.socifleet.fetchcache.store.StoreException;
import dev.socifleet.fetchcache.store.ZtocRecord;
import dev.socifleet.fetchcache.store.ZtocStore;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.Ztoc;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Serves and takes zTOCs. Thread-safe. */
final class Ztocs {
  private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(3);

  /** Spans of a zTOC with more aren't proved by it, but by fetching them. */
  private static final int MOST_SPANS = 1 << 16;

  private final ZtocStore store;
  private final SpanStore values;
  private final Memory memory;
  private final Counter hits;
  private final Counter misses;
  private final Counter puts;

  Ztocs(ZtocStore store, SpanStore values, Memory memory, Metrics metrics) {
    this.store = store;
    this.values = values;
    this.memory = memory;
    hits = requests(metrics, "hit");
    misses = requests(metrics, "miss");
    puts = requests(metrics, "put");
  }

  private static Counter requests(Metrics metrics, String result) {
    return metrics.counter(
        "soci_cache_ztocs_total", "zTOCs given, asked for in vain, taken", "result", result);
  }

  /** Sends the zTOC; the caller of this has seen that the reader may have it. */
  void serve(Digest layer, long spanSizeBytes, String builder, Reply reply)
      throws Refusal, IOException, InterruptedException {
    Optional<ZtocRecord> found;
    try {
      found = store.find(layer, spanSizeBytes, builder);
    } catch (StoreException e) {
      throw Refusal.overloaded(String.valueOf(e.getMessage()));
    }
    if (found.isEmpty()) {
      misses.increment();
      throw Refusal.of(
          404,
          "no-ztoc",
          "no zTOC of layer " + layer + " with spans of " + spanSizeBytes + " bytes");
    }
    for (Digest piece : found.get().pieces()) {
      int size = values.size(piece);
      Memory.Reservation reserved =
          size < 0 ? null : memory.reserve(Math.max(size, 1), MEMORY_PATIENCE);
      if (reserved == null) {
        throw Refusal.overloaded("a piece of the zTOC can't be read now");
      }
      try (reserved) {
        SpanBytes bytes = reserved.allocate(size);
        try {
          if (!values.read(piece, bytes)) {
            throw Refusal.of(404, "no-ztoc", "a piece of the zTOC is gone");
          }
          if (!reply.begun()) {
            reply.begin(
                "application/octet-stream",
                OptionalLong.of(found.get().size()),
                Map.of("Docker-Content-Digest", found.get().digest().toString()));
          }
          reply.send(bytes);
        } finally {
          bytes.release();
        }
      }
    }
    reply.end();
    hits.increment();
  }

  /**
   * Takes a zTOC from a holder of the fleet token: what it says of the layer's spans is believed.
   */
  void put(Digest layer, long spanSizeBytes, byte[] body) throws Refusal, InterruptedException {
    Ztoc ztoc;
    try {
      ztoc = Ztoc.parse(body);
    } catch (MalformedZtocException e) {
      throw Refusal.of(422, "malformed-ztoc", "not a zTOC: " + e.getMessage());
    }
    if (ztoc.spanSize() != spanSizeBytes) {
      throw Refusal.of(
          422,
          "other-span-size",
          "the zTOC's spans are of " + ztoc.spanSize() + " bytes, not " + spanSizeBytes);
    }
    try {
      store.put(layer, spanSizeBytes, ztoc.buildTool(), body, spans(ztoc));
      puts.increment();
    } catch (StoreException e) {
      throw Refusal.overloaded("the zTOC isn't stored: " + e.getMessage());
    }
  }

  private static SpanTable spans(Ztoc ztoc) {
    int count = ztoc.spanCount() > MOST_SPANS ? 0 : ztoc.spanCount();
    SpanTable.Builder spans = new SpanTable.Builder(count);
    for (int i = 0; i < count; i++) {
      Span span = ztoc.span(i);
      spans.add(new ByteRange(span.compressedStart(), span.compressedEnd()), span.sha256());
    }
    return spans.build();
  }
}
