package dev.socifleet.sociindex;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.oci.MalformedDocumentException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The spans of one layer that a node fetches before the container starts. A JSON blob beside the
 * layer's zTOC in an index.
 */
public record PrefetchArtifact(List<SpanRange> ranges) {
  private static final String VERSION = "1.0";
  private static final int LARGEST = 4 << 20;
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Spans from first to last, both included. */
  public record SpanRange(int first, int last) {
    public SpanRange {
      if (first < 0 || last < first) {
        throw new IllegalArgumentException("no range of spans: " + first + " to " + last);
      }
    }

    public long count() {
      return (long) last - first + 1;
    }
  }

  public PrefetchArtifact {
    ranges = List.copyOf(ranges);
  }

  /** Sorted, with those that overlap or touch made one. */
  public static PrefetchArtifact of(List<SpanRange> ranges) {
    List<SpanRange> merged = new ArrayList<>();
    for (SpanRange range :
        ranges.stream()
            .sorted(Comparator.comparingInt(SpanRange::first).thenComparingInt(SpanRange::last))
            .toList()) {
      SpanRange before = merged.isEmpty() ? null : merged.getLast();
      if (before != null && range.first() <= (long) before.last() + 1) {
        merged.set(
            merged.size() - 1,
            new SpanRange(before.first(), Math.max(before.last(), range.last())));
      } else {
        merged.add(range);
      }
    }
    return new PrefetchArtifact(merged);
  }

  public long spanCount() {
    return ranges.stream().mapToLong(SpanRange::count).sum();
  }

  public byte[] bytes() {
    return ("{\"version\":\""
            + VERSION
            + "\",\"prefetch_spans\":["
            + ranges.stream()
                .map(r -> "{\"start_span\":" + r.first() + ",\"end_span\":" + r.last() + "}")
                .collect(Collectors.joining(","))
            + "]}")
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Reads an artifact; span numbers of a layer that has fewer are left in it. */
  public static PrefetchArtifact read(byte[] bytes) throws MalformedDocumentException {
    if (bytes.length > LARGEST) {
      throw new MalformedDocumentException("prefetch artifact larger than " + LARGEST + " bytes");
    }
    JsonNode root;
    try {
      root = MAPPER.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new MalformedDocumentException("prefetch artifact: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedDocumentException("prefetch artifact: " + e.getMessage());
    }
    if (!VERSION.equals(root.path("version").asText())) {
      throw new MalformedDocumentException(
          "prefetch artifact of version '" + root.path("version").asText() + "', not " + VERSION);
    }
    List<SpanRange> ranges = new ArrayList<>();
    for (JsonNode span : root.path("prefetch_spans")) {
      JsonNode first = span.path("start_span");
      JsonNode last = span.path("end_span");
      if (!first.canConvertToInt() || !last.canConvertToInt()) {
        throw new MalformedDocumentException("prefetch artifact: a span that is no number");
      }
      try {
        ranges.add(new SpanRange(first.intValue(), last.intValue()));
      } catch (IllegalArgumentException e) {
        throw new MalformedDocumentException("prefetch artifact: " + e.getMessage());
      }
    }
    return new PrefetchArtifact(ranges);
  }
}
