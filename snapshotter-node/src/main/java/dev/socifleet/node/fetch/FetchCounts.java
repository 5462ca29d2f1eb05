package dev.socifleet.node.fetch;

import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was transferred to this node, since its start, by where it came from and what it was. Counts
 * what came over the wire, repeated transfers included: it is what an image costs. Thread-safe.
 */
public final class FetchCounts {
  /** Who sent it. */
  public enum Source {
    CACHE,
    REGISTRY
  }

  /** What it was: spans of lazy layers, zTOCs, or whole layers that the node unpacked. */
  public enum Content {
    SPANS,
    ZTOCS,
    LAYERS
  }

  /** One line of the account. */
  public record Count(Source source, Content content, long requests, long bytes) {}

  private record Meters(Counter requests, Counter bytes) {}

  private final Map<Source, Map<Content, Meters>> meters = new EnumMap<>(Source.class);
  private final Metrics metrics;

  public FetchCounts(Metrics metrics) {
    this.metrics = metrics;
    for (Source source : Source.values()) {
      Map<Content, Meters> ofSource = new EnumMap<>(Content.class);
      for (Content content : Content.values()) {
        String[] tags = {"source", code(source), "content", code(content)};
        ofSource.put(
            content,
            new Meters(
                metrics.counter("soci_node_fetch_requests", "Requests for image content", tags),
                metrics.counter("soci_node_fetched_bytes", "Bytes of image content", tags)));
      }
      meters.put(source, ofSource);
    }
  }

  /** Another request was sent. */
  public void request(Source source, Content content) {
    of(source, content).requests().increment();
  }

  /** More bytes arrived. */
  public void bytes(Source source, Content content, long count) {
    of(source, content).bytes().increment(count);
  }

  /** Bytes arrived that have another digest than they should. */
  void corrupt(Source source) {
    metrics
        .counter(
            "soci_node_corrupt_spans",
            "Spans that arrived with another digest",
            "source",
            code(source))
        .increment();
  }

  /** The cache didn't help. */
  void cacheFailed(boolean denied) {
    metrics
        .counter(
            "soci_node_cache_failures",
            "Fetches that the cache could not serve",
            "reason",
            denied ? "denied" : "unavailable")
        .increment();
  }

  /** Everything counted, also what is zero. */
  public List<Count> all() {
    List<Count> all = new ArrayList<>();
    meters.forEach((source, ofSource) ->
        ofSource.forEach((content, m) ->
            all.add(
                new Count(
                    source, content, (long) m.requests().count(), (long) m.bytes().count()))));
    return all;
  }

  private Meters of(Source source, Content content) {
    Meters found = meters.getOrDefault(source, Map.of()).get(content);
    if (found == null) {
      throw new IllegalStateException("every pair has its meters");
    }
    return found;
  }

  private static String code(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
