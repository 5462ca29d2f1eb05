package dev.socifleet.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventJsonTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("localhost:5000", "team/app");
  private static final Digest LAYER = Digest.of(new byte[] {1});
  private static final Digest ZTOC = Digest.of(new byte[] {2});
  private static final Instant AT = Instant.parse("2026-11-24T10:00:00.123456789Z");

  static List<Event> events() {
    Descriptor target = Descriptor.of(MediaTypes.OCI_MANIFEST, LAYER, 12);
    var planned =
        new ZtocEvent.PlannedImage(
            target,
            Platform.of("linux", "arm64", "v8"),
            List.of(
                new ZtocEvent.PlannedLayer(LAYER, MediaTypes.OCI_LAYER_GZIP, 99, 4194304, null),
                new ZtocEvent.PlannedLayer(ZTOC, "x", 1, 4194304, "too small")));
    return List.of(
        new PushEvent.ImagePushed(REPOSITORY, "main", "1.2", LAYER, AT),
        new PushEvent.ImagePushed(REPOSITORY, "main", null, null, AT),
        new PushEvent.ImageDeleted(REPOSITORY, "main", null, LAYER, AT),
        new LayerTask(
            REPOSITORY, "plan", LAYER, MediaTypes.OCI_LAYER_GZIP, 5L << 32, 4194304, 3, AT),
        new ZtocEvent.PlanOpened(
            REPOSITORY,
            "plan",
            target,
            List.of("1.2"),
            List.of(planned),
            true,
            true,
            "{tag}-soci",
            Map.of(LAYER.toString(), new LayerResult.Indexed(ZTOC, 7, 8, 9)),
            AT,
            AT,
            AT),
        new ZtocEvent.LayerOutcome(
            REPOSITORY, "plan", LAYER, 4194304, new LayerResult.Reused(ZTOC, 7), AT),
        new ZtocEvent.LayerOutcome(
            REPOSITORY, "plan", LAYER, 4194304, new LayerResult.Failed("no"), AT),
        new ImageOutcome(
            REPOSITORY,
            LAYER,
            "plan",
            List.of("a"),
            "published",
            "",
            List.of(
                new ImageOutcome.PlatformOutcome(
                    LAYER,
                    null,
                    ZTOC,
                    List.of(new ImageOutcome.LayerDecision(LAYER, 1, "indexed", "", ZTOC)))),
            null,
            null,
            AT,
            AT,
            AT));
  }

  @ParameterizedTest
  @MethodSource("events")
  void whatWasWrittenIsReadAgain(Event event) throws MalformedEventException {
    assertThat(EventJson.read(EventJson.write(event))).isEqualTo(event);
  }

  @Test
  void aRecordIsOneObjectWithSchemaAndType() {
    byte[] json = EventJson.write(new PushEvent.ImagePushed(REPOSITORY, "main", "1.2", null, AT));

    assertThat(new String(json, StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"schema\":1,\"type\":\"ImagePushed\",\"repository\":\"localhost:5000/team/app\",\"source\":\"main\","
                + "\"tag\":\"1.2\",\"seenAt\":\"2026-11-24T10:00:00.123456789Z\"}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"schema\":2,\"type\":\"ImagePushed\"}",
        "{\"schema\":1,\"type\":\"Nonsense\"}",
        "{\"schema\":1,\"type\":\"ImagePushed\"}",
        "{\"schema\":1,\"type\":\"ImagePushed\",\"repository\":\"NOT A REPOSITORY\",\"source\":\"s\",\"seenAt\":\"2026-11-24T10:00:00Z\"}",
        "{\"schema\":1,\"type\":\"ImagePushed\",\"repository\":\"h/r\",\"source\":\"s\",\"seenAt\":\"yesterday\"}",
        "{\"schema\":1,\"type\":\"LayerTask\",\"repository\":\"h/r\",\"planId\":\"p\",\"layer\":\"sha256:12\"}",
      })
  void whatIsNoRecordIsRefusedWithAReason(String json) {
    assertThatThrownBy(() -> EventJson.read(json.getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(MalformedEventException.class)
        .message()
        .isNotBlank();
  }

  /**
   * One that a broker refuses would be sent again for ever: that is no matter of its being away.
   */
  @Test
  void aRecordThatNoBrokerTakesIsNotWritten() {
    assertThat(EventJson.write(push("x".repeat(1_000_000)))).hasSizeBetween(1_000_000, 1_001_000);
    assertThatThrownBy(() -> EventJson.write(push("x".repeat(1 << 20))))
        .isInstanceOf(EventTooLargeException.class)
        .hasMessageContaining("ImagePushed of localhost:5000/team/app");
  }

  private static PushEvent.ImagePushed push(String source) {
    return new PushEvent.ImagePushed(REPOSITORY, source, "1.2", null, AT);
  }
}
