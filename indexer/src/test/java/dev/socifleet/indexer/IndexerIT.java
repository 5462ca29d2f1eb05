package dev.socifleet.indexer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.socifleet.events.EventJson;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.PushEvent.ImageDeleted;
import dev.socifleet.events.PushEvent.ImagePushed;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.testing.RawImage;
import dev.socifleet.testing.SentEvents.DeadLetter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The whole service. */
class IndexerIT extends IndexerFixture {

  @Test
  void recordsThatNobodyCanReadBecomeDeadLettersAndHoldNothingBack() throws Exception {
    RawImage.push(repository, "1.0", List.of(RawImage.layer(repository, RawImage.tarGzip(2))));
    ImagePushed push = new ImagePushed(name, "test", "1.0", null, Instant.now());
    String newer = "{\"schema\":2,\"type\":\"ImagePushed\"}";
    rig.sendRaw(Topic.PUSHES, name, utf8("no JSON"));
    rig.sendRaw(Topic.PUSHES, name, utf8(newer));
    rig.sendRaw(Topic.LAYERS, name, utf8("no JSON"));
    rig.sendRaw(Topic.LAYERS, name, EventJson.write(push)); // an event, but no task
    ImageDeleted deleted = new ImageDeleted(name, "test", "0.9", null, Instant.now());
    rig.producer().sendAll(Topic.PUSHES, List.of(deleted, push));

    try (Indexer _ = Indexer.start(config())) {
      await()
          .atMost(Duration.ofSeconds(200))
          .until(() -> results().size() == 1 && rig.sent().deadLetters(name).size() == 4);
    }
    assertThat(results()).hasOnlyElementsOfType(LayerResult.Indexed.class);
    assertThat(rig.sent().deadLetters(name))
        .extracting(DeadLetter::topic, DeadLetter::value)
        .containsExactlyInAnyOrder(
            tuple("soci.pushes", "no JSON"),
            tuple("soci.pushes", newer),
            tuple("soci.layers", "no JSON"),
            tuple("soci.layers", new String(EventJson.write(push), UTF_8)));
    assertThat(rig.sent().deadLetters(name))
        .extracting(DeadLetter::error)
        .anyMatch(error -> error.contains("schema is 2"))
        .contains("not a LayerTask")
        .noneMatch(error -> error.equals("none"));
  }

  /** What the workers said, beside the plan. */
  private List<LayerResult> results() {
    return rig.sent().on(Topic.ZTOCS, name, ZtocEvent.class).stream()
        .filter(LayerOutcome.class::isInstance)
        .map(event -> ((LayerOutcome) event).result())
        .toList();
  }
}
