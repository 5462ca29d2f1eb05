package dev.socifleet.oci;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Manifests, indexes and image configs as JSON. Reads with bounds and drops what it doesn't know,
 * as Go's decoder does; writes Go's canonical form ({@link GoJson}). A digest is always computed
 * from the bytes as they came, never from what is written here.
 */
public final class OciJson {
  /** No manifest is larger (distribution specification: registries should accept 4 MiB). */
  public static final int LARGEST_MANIFEST = 4 << 20;

  private static final int MOST_DESCRIPTORS = 10_000;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxStringLength(LARGEST_MANIFEST)
                          .maxDocumentLength(4L * LARGEST_MANIFEST)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private OciJson() {}

  public static ImageManifest manifest(byte[] bytes) throws MalformedDocumentException {
    JsonNode root = object(bytes, "image manifest");
    JsonNode config = root.get("config");
    if (config == null || !config.isObject()) {
      throw new MalformedDocumentException("image manifest has no object 'config'");
    }
    return new ImageManifest(
        text(root, "mediaType"),
        text(root, "artifactType"),
        descriptor(config, "config"),
        descriptors(root, "layers"),
        optionalDescriptor(root, "subject"),
        texts(root, "annotations"));
  }

  public static ImageIndex index(byte[] bytes) throws MalformedDocumentException {
    JsonNode root = object(bytes, "image index");
    if (root.get("manifests") == null) {
      throw new MalformedDocumentException("image index has no array 'manifests'");
    }
    return new ImageIndex(
        text(root, "mediaType"),
        text(root, "artifactType"),
        descriptors(root, "manifests"),
        optionalDescriptor(root, "subject"),
        texts(root, "annotations"));
  }

  /** The platform that an image config states (OCI image specification, config.md). */
  public static Platform platformOfConfig(byte[] bytes) throws MalformedDocumentException {
    return platform(object(bytes, "image config"));
  }

  /** The diff ids of an image config, base layer first. */
  public static List<Digest> diffIdsOfConfig(byte[] bytes) throws MalformedDocumentException {
    JsonNode ids = object(bytes, "image config").path("rootfs").path("diff_ids");
    List<Digest> digests = new ArrayList<>();
    for (JsonNode id : ids) {
      digests.add(digest(id, "rootfs.diff_ids"));
    }
    return List.copyOf(digests);
  }

  /**
   * The media type that a manifest's or index's own bytes state; by its fields where it states
   * none.
   */
  public static String mediaTypeOf(byte[] bytes) throws MalformedDocumentException {
    JsonNode root = object(bytes, "manifest");
    String stated = text(root, "mediaType");
    if (!stated.isEmpty()) {
      return stated;
    }
    return root.has("manifests") ? MediaTypes.OCI_INDEX : MediaTypes.OCI_MANIFEST;
  }

  /** The tags of one page of a listing (distribution specification, "Listing Tags"). */
  static List<String> tags(byte[] bytes) throws MalformedDocumentException {
    JsonNode array = object(bytes, "list of tags").get("tags");
    List<String> tags = new ArrayList<>();
    if (array == null || array.isNull()) {
      return tags;
    }
    for (JsonNode tag : array) {
      if (!tag.isTextual() || !ImageReference.isTag(tag.textValue())) {
        throw new MalformedDocumentException("'tags[" + tags.size() + "]' isn't a tag");
      }
      tags.add(tag.textValue());
    }
    return tags;
  }

  public static byte[] write(ImageManifest manifest) {
    return new GoJson()
        .object()
        .number("schemaVersion", 2)
        .optionalText("mediaType", manifest.mediaType())
        .optionalText("artifactType", manifest.artifactType())
        .optionalDescriptor("config", manifest.config())
        .descriptors("layers", manifest.layers())
        .optionalDescriptor("subject", manifest.subject())
        .optionalMap("annotations", manifest.annotations())
        .end()
        .bytes();
  }

  public static byte[] write(ImageIndex index) {
    return new GoJson()
        .object()
        .number("schemaVersion", 2)
        .optionalText("mediaType", index.mediaType())
        .optionalText("artifactType", index.artifactType())
        .descriptors("manifests", index.manifests())
        .optionalDescriptor("subject", index.subject())
        .optionalMap("annotations", index.annotations())
        .end()
        .bytes();
  }

  /**
   * The same manifest or index, about another subject. Everything else stays, also what we don't
   * know.
   */
  public static byte[] withSubject(byte[] bytes, Descriptor subject)
      throws MalformedDocumentException {
    ObjectNode root = (ObjectNode) object(bytes, "manifest");
    root.putObject("subject")
        .put("mediaType", subject.mediaType())
        .put("digest", subject.digest().toString())
        .put("size", subject.size());
    try {
      return MAPPER.writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new MalformedDocumentException("manifest can't be written: " + e.getOriginalMessage());
    }
  }

  private static JsonNode object(byte[] bytes, String what) throws MalformedDocumentException {
    try {
      JsonNode root = MAPPER.readTree(bytes);
      if (root == null || !root.isObject()) {
        throw new MalformedDocumentException(what + " isn't a JSON object");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new MalformedDocumentException(
          what
              + " isn't JSON, at byte "
              + (e.getLocation() == null ? 0 : e.getLocation().getByteOffset())
              + ": "
              + e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedDocumentException(what + " can't be read: " + e.getMessage());
    }
  }

  private static List<Descriptor> descriptors(JsonNode parent, String field)
      throws MalformedDocumentException {
    JsonNode array = parent.get(field);
    if (array == null || array.isNull()) {
      return List.of();
    }
    if (!array.isArray() || array.size() > MOST_DESCRIPTORS) {
      throw new MalformedDocumentException(
          "'" + field + "' isn't an array of at most " + MOST_DESCRIPTORS + " descriptors");
    }
    List<Descriptor> all = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      all.add(descriptor(array.get(i), field + "[" + i + "]"));
    }
    return all;
  }

  private static @Nullable Descriptor optionalDescriptor(JsonNode parent, String field)
      throws MalformedDocumentException {
    JsonNode node = parent.get(field);
    return node == null || node.isNull() ? null : descriptor(node, field);
  }

  private static Descriptor descriptor(JsonNode node, String where)
      throws MalformedDocumentException {
    if (!node.isObject()) {
      throw new MalformedDocumentException("'" + where + "' isn't a descriptor");
    }
    JsonNode size = node.get("size");
    if (size == null
        || !size.isIntegralNumber()
        || !size.canConvertToLong()
        || size.longValue() < 0) {
      throw new MalformedDocumentException("'" + where + ".size' isn't a number of bytes");
    }
    List<String> urls = new ArrayList<>();
    for (JsonNode url : node.path("urls")) {
      urls.add(url.asText());
    }
    JsonNode platform = node.get("platform");
    return new Descriptor(
        text(node, "mediaType"),
        digest(node.get("digest"), where + ".digest"),
        size.longValue(),
        urls,
        texts(node, "annotations"),
        text(node, "data"),
        platform == null || !platform.isObject() ? null : platform(platform),
        text(node, "artifactType"));
  }

  private static Digest digest(@Nullable JsonNode node, String where)
      throws MalformedDocumentException {
    if (node == null || !node.isTextual()) {
      throw new MalformedDocumentException("'" + where + "' isn't a digest");
    }
    try {
      return Digest.parse(node.textValue());
    } catch (IllegalArgumentException e) {
      throw new MalformedDocumentException("'" + where + "': " + e.getMessage());
    }
  }

  private static Platform platform(JsonNode node) throws MalformedDocumentException {
    List<String> features = new ArrayList<>();
    for (JsonNode feature : node.path("os.features")) {
      features.add(feature.asText());
    }
    return new Platform(
        text(node, "architecture"),
        text(node, "os"),
        text(node, "os.version"),
        features,
        text(node, "variant"));
  }

  private static String text(JsonNode node, String field) throws MalformedDocumentException {
    JsonNode value = node.get(field);
    if (value == null || value.isNull()) {
      return "";
    }
    if (!value.isTextual()) {
      throw new MalformedDocumentException("'" + field + "' isn't text");
    }
    return value.textValue();
  }

  private static Map<String, String> texts(JsonNode node, String field)
      throws MalformedDocumentException {
    JsonNode map = node.get(field);
    if (map == null || map.isNull()) {
      return Map.of();
    }
    if (!map.isObject()) {
      throw new MalformedDocumentException("'" + field + "' isn't an object");
    }
    Map<String, String> all = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      if (!entry.getValue().isTextual()) {
        throw new MalformedDocumentException("'" + field + "." + entry.getKey() + "' isn't text");
      }
      all.put(entry.getKey(), entry.getValue().textValue());
    }
    return all;
  }
}
