package dev.socifleet.events;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;

/**
 * The records' JSON: one object a record, with {@code schema} (1), {@code type} (the record's
 * simple name) and the record's components by name. Digests, repositories and instants are texts;
 * what is null or absent is left out. Unknown fields are ignored, so that a newer writer may add
 * some; an unknown schema or type is refused.
 *
 * <pre>
 * {"schema":1,"type":"ImagePushed","repository":"registry.example/team/app","source":"main","tag":"1.2",
 *  "digest":"sha256:…","seenAt":"2026-11-24T10:00:00Z"}
 * </pre>
 */
public final class EventJson {
  /** The version of the records that this release writes and reads. */
  public static final int SCHEMA = 1;

  /** Kafka's own default limit of a message; a plan of some 4,000 layers. */
  private static final int LARGEST_RECORD = 1 << 20;

  /** That limit holds for key, headers and what is around them too. */
  private static final int LARGEST_WRITTEN = LARGEST_RECORD - (32 << 10);

  private static final JsonMapper MAPPER = mapper();

  private EventJson() {}

  /**
   * @throws EventTooLargeException when no broker would take it
   */
  public static byte[] write(Event event) {
    ObjectNode body = MAPPER.valueToTree(event);
    ObjectNode record =
        MAPPER
            .createObjectNode()
            .put("schema", SCHEMA)
            .put("type", event.getClass().getSimpleName());
    record.setAll(body);
    byte[] bytes;
    try {
      bytes = MAPPER.writeValueAsBytes(record);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always JSON", e);
    }
    if (bytes.length > LARGEST_WRITTEN) {
      throw new EventTooLargeException(
          "a "
              + event.getClass().getSimpleName()
              + " of "
              + event.repository()
              + " has "
              + bytes.length
              + " bytes, more than the "
              + LARGEST_WRITTEN
              + " that a record may have");
    }
    return bytes;
  }

  /** Reads a record; {@link MalformedEventException} says what is wrong with it. */
  public static Event read(byte[] bytes) throws MalformedEventException {
    if (bytes.length > LARGEST_RECORD) {
      throw new MalformedEventException(
          "the record has " + bytes.length + " bytes, more than " + LARGEST_RECORD);
    }
    try {
      JsonNode root = MAPPER.readTree(bytes);
      if (!(root instanceof ObjectNode record)) {
        throw new MalformedEventException("the record isn't a JSON object");
      }
      int schema = record.path("schema").asInt(0);
      if (schema != SCHEMA) {
        throw new MalformedEventException(
            "the record's schema is " + schema + ", this release knows " + SCHEMA);
      }
      String type = record.path("type").asText("");
      Class<? extends Event> known =
          switch (type) {
            case "ImagePushed" -> PushEvent.ImagePushed.class;
            case "ImageDeleted" -> PushEvent.ImageDeleted.class;
            case "LayerTask" -> LayerTask.class;
            case "PlanOpened" -> ZtocEvent.PlanOpened.class;
            case "LayerOutcome" -> ZtocEvent.LayerOutcome.class;
            case "ImageOutcome" -> ImageOutcome.class;
            default -> throw new MalformedEventException("unknown record type '" + type + "'");
          };
      record.remove("schema");
      record.remove("type");
      Event event = MAPPER.treeToValue(record, known);
      Checks.complete(event);
      return event;
    } catch (MalformedEventException e) {
      throw e;
    } catch (IOException | IllegalArgumentException | NullPointerException e) {
      throw new MalformedEventException("the record can't be read: " + e.getMessage());
    }
  }

  /** How the sealed {@link LayerResult} is told apart inside a record. */
  @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "result")
  @JsonSubTypes({
    @JsonSubTypes.Type(value = LayerResult.Indexed.class, name = "indexed"),
    @JsonSubTypes.Type(value = LayerResult.Reused.class, name = "reused"),
    @JsonSubTypes.Type(value = LayerResult.Skipped.class, name = "skipped"),
    @JsonSubTypes.Type(value = LayerResult.Failed.class, name = "failed")
  })
  private interface LayerResultByName {}

  /** A value that is one text. */
  private abstract static class AsText {
    @JsonValue
    @Override
    public abstract String toString();
  }

  private abstract static class DigestAsText extends AsText {
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Digest parse(String text) {
      return Digest.parse(text);
    }
  }

  private abstract static class RepositoryAsText extends AsText {
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static RepositoryName parse(String text) {
      return RepositoryName.parse(text);
    }
  }

  private static JsonMapper mapper() {
    SimpleModule module = new SimpleModule();
    module.addSerializer(
        Instant.class,
        new JsonSerializer<Instant>() {
          @Override
          public void serialize(Instant value, JsonGenerator to, SerializerProvider provider)
              throws IOException {
            to.writeString(value.toString());
          }
        });
    module.addDeserializer(
        Instant.class,
        new JsonDeserializer<Instant>() {
          @Override
          public Instant deserialize(JsonParser from, DeserializationContext context)
              throws IOException {
            try {
              return Instant.parse(from.getText());
            } catch (DateTimeException e) {
              throw new IOException("not an instant: '" + from.getText() + "'", e);
            }
          }
        });
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(32)
                    .maxDocumentLength(LARGEST_RECORD)
                    .build())
            .build();
    return JsonMapper.builder(factory)
        .addModule(module)
        .addMixIn(LayerResult.class, LayerResultByName.class)
        .addMixIn(Digest.class, DigestAsText.class)
        .addMixIn(RepositoryName.class, RepositoryAsText.class)
        .defaultPropertyInclusion(
            JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
        .configure(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES, true)
        .build();
  }
}
