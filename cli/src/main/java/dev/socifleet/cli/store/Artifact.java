package dev.socifleet.cli.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;

/**
 * What the catalogue knows of one artifact. Absent texts are empty.
 *
 * @param size of the blob, in bytes
 * @param of the digest it was made of: an index's image manifest, a zTOC's or prefetch artifact's
 *     layer
 * @param image an index's image target: the digest that containerd's image record has
 * @param platform of an index's image, as text
 * @param artifactType of an index: tells its version
 * @param spanSize of a zTOC; 0 otherwise
 */
public record Artifact(
    Digest digest,
    long size,
    Type type,
    String mediaType,
    String artifactType,
    Digest of,
    String image,
    String platform,
    long spanSize,
    Instant created) {
  /** The kinds of artifact, with the existing tool's names. */
  public enum Type {
    INDEX("soci_index"),
    ZTOC("soci_layer"),
    PREFETCH("soci_prefetch");

    private final String text;

    Type(String text) {
      this.text = text;
    }
  }

  byte[] bytes() {
    ObjectNode json = new JsonMapper().createObjectNode();
    json.put("digest", digest.toString())
        .put("size", size)
        .put("type", type.text)
        .put("media_type", mediaType)
        .put("artifact_type", artifactType)
        .put("oci_digest", of.toString())
        .put("image_digest", image)
        .put("platform", platform)
        .put("span_size", spanSize)
        .put("created_at", created.toString());
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Reads {@link #bytes()}; an {@link IllegalArgumentException} says what is wrong. */
  static Artifact read(JsonNode json) {
    Type type = null;
    for (Type each : Type.values()) {
      type = each.text.equals(json.path("type").asText()) ? each : type;
    }
    if (type == null) {
      throw new IllegalArgumentException("type '" + json.path("type").asText() + "'");
    }
    try {
      return new Artifact(
          Digest.parse(json.path("digest").asText()),
          json.path("size").asLong(),
          type,
          json.path("media_type").asText(),
          json.path("artifact_type").asText(),
          Digest.parse(json.path("oci_digest").asText()),
          json.path("image_digest").asText(),
          json.path("platform").asText(),
          json.path("span_size").asLong(),
          Instant.parse(json.path("created_at").asText()));
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException("created_at: " + e.getMessage(), e);
    }
  }
}
