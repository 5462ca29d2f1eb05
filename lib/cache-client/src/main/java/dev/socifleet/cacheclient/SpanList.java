package dev.socifleet.cacheclient;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The spans that a {@code POST /v1/spans} asks for, in the order in which they come back:
 *
 * <pre>
 * {"spans": [{"digest": "sha256:…", "range": "0-1048575"}, …]}
 * </pre>
 *
 * <p>Ranges are of the blob's bytes, both ends inclusive, as in HTTP.
 */
public record SpanList(List<SpanRange> spans) {
  public static final int MOST_SPANS = 256;

  /** The longest body: {@value #MOST_SPANS} spans with room to spare. */
  public static final int LONGEST_BODY = 64 << 10;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(4).build())
                  .build())
          .build();

  public SpanList {
    spans = List.copyOf(spans);
    if (spans.isEmpty() || spans.size() > MOST_SPANS) {
      throw new IllegalArgumentException(
          "1 to " + MOST_SPANS + " spans can be asked for at once, not " + spans.size());
    }
  }

  public byte[] toJson() {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode list = root.putArray("spans");
    for (SpanRange span : spans) {
      list.addObject().put("digest", span.span().toString()).put("range", span.range().toHttp());
    }
    try {
      return JSON.writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
  }

  /** Reads a body; an {@link IllegalArgumentException} says what is wrong with it. */
  public static SpanList parse(byte[] body) {
    JsonNode list;
    try {
      list = JSON.readTree(body).path("spans");
    } catch (IOException e) {
      throw new IllegalArgumentException("not JSON", e);
    }
    if (!list.isArray() || list.size() > MOST_SPANS) {
      throw new IllegalArgumentException(
          "expected {\"spans\": […]} with 1 to " + MOST_SPANS + " spans");
    }
    List<SpanRange> spans = new ArrayList<>(list.size());
    for (JsonNode span : list) {
      spans.add(
          new SpanRange(
              Digest.parse(span.path("digest").asText("")),
              ByteRange.parseHttp(span.path("range").asText(""))));
    }
    return new SpanList(spans);
  }
}
