package dev.socifleet.indexer;

import static dev.socifleet.testing.ScriptedRegistries.answered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.events.EventProducer;
import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.KafkaUnavailableException;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.PushEvent.ImagePushed;
import dev.socifleet.events.Topic;
import dev.socifleet.events.Topics;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.testing.RawImage;
import dev.socifleet.testing.SentEvents;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a push. */
class PlannerIT extends IndexerFixture {
  private final AtomicInteger done = new AtomicInteger();
  private Planner planner;

  @BeforeEach
  void freshPlanner() {
    planner = planner(rig.producer());
  }

  /** A planner as of another process. */
  private Planner planner(EventProducer producer, String... settings) {
    return new Planner(config(settings), registries, producer, metrics);
  }

  private ImagePushed pushed(@Nullable String tag, @Nullable Digest digest, Instant seenAt) {
    return new ImagePushed(name, "test", tag, digest, seenAt);
  }

  private void plan(ImagePushed push) throws Exception {
    planner.handle(push, 0, done::incrementAndGet);
  }

  private void planTag(String tag) throws Exception {
    plan(pushed(tag, null, Instant.now()));
  }

  private Descriptor layer(String text) throws Exception {
    return RawImage.layer(repository, utf8(text.repeat(2000)));
  }

  @Test
  void aPushBecomesAPlanWithATaskForEachLayerToIndex() throws Exception {
    Descriptor large = layer("a");
    Descriptor small = RawImage.layer(repository, utf8("small"));
    ManifestBlob image = RawImage.push(repository, "1.0", List.of(large, small, large));
    planTag("1.0");

    assertThat(plans()).hasSize(1);
    PlanOpened plan = plans().getFirst();
    assertThat(plan.target().digest()).isEqualTo(image.digest());
    assertThat(plan.tags()).containsExactly("1.0");
    assertThat(plan.publishV1()).isTrue();
    assertThat(plan.publishV2()).isTrue();
    List<PlannedLayer> layers = plan.images().getFirst().layers();
    assertThat(layers)
        .extracting(PlannedLayer::digest)
        .containsExactly(large.digest(), small.digest(), large.digest());
    assertThat(layers.get(0).leftOut()).isNull();
    assertThat(layers.get(1).leftOut()).contains("less than the smallest layer to index");
    assertThat(tasks())
        .hasSize(1)
        .first()
        .satisfies(task -> {
          assertThat(task.layer()).isEqualTo(large.digest());
          assertThat(task.planId()).isEqualTo(plan.planId());
          assertThat(task.spanSizeBytes()).isEqualTo(SPAN);
          assertThat(task.attempt()).isEqualTo(1);
        });
    assertThat(done).hasValue(1);
  }

  @Test
  void noTaskIsSentBeforeItsPlanIsAcknowledged() throws Exception {
    RawImage.push(repository, "1.0", List.of(layer("a")));
    KafkaAccess access =
        new KafkaAccess(
            rig.access().bootstrap(), "early", (short) 1, Map.of("max.block.ms", "5000"));
    try (Admin admin =
        Admin.create(Map.<String, Object>of("bootstrap.servers", access.bootstrap()))) {
      admin
          .createTopics(List.of(new NewTopic("early.layers", 1, (short) 1)))
          .all()
          .get(120, TimeUnit.SECONDS); // but no topic for the plan: nobody can acknowledge it
    }
    try (EventProducer producer = new EventProducer(access);
        SentEvents sent = new SentEvents(access)) {
      planner = planner(producer);
      assertThatThrownBy(() -> planTag("1.0")).isInstanceOf(KafkaUnavailableException.class);
      assertThat(sent.on(Topic.LAYERS, name, LayerTask.class)).isEmpty();
      assertThat(done).as("the push comes again").hasValue(0);

      assertThat(Topics.prepare(access)).isEmpty();
      planTag("1.0");
      assertThat(sent.on(Topic.ZTOCS, name, PlanOpened.class)).hasSize(1);
      assertThat(sent.on(Topic.LAYERS, name, LayerTask.class)).hasSize(1);
      assertThat(done).hasValue(1);
    }
  }

  @Test
  void theSamePushTwiceIsOnePlan() throws Exception {
    RawImage.push(repository, "1.0", List.of(layer("a")));
    planTag("1.0");
    planTag("1.0");
    assertThat(plans()).hasSize(1);
    assertThat(tasks()).hasSize(1);

    planner = planner(rig.producer()); // one that knows nothing of the first
    planTag("1.0");
    assertThat(plans()).hasSize(2).extracting(PlanOpened::planId).containsOnly(planId());
    assertThat(tasks()).extracting(LayerTask::planId).containsOnly(planId());
    assertThat(done).hasValue(3);
  }

  private String planId() {
    return plans().getFirst().planId();
  }

  @Test
  void anotherTagOfTheSameImageIsTheSamePlanAndIsAnnounced() throws Exception {
    List<Descriptor> layers = List.of(layer("a"));
    RawImage.push(repository, "1.0", layers);
    RawImage.push(repository, "latest", layers);
    planTag("1.0");
    planTag("latest");
    assertThat(plans()).hasSize(2).extracting(PlanOpened::planId).containsOnly(planId());
    assertThat(plans())
        .extracting(PlanOpened::tags)
        .containsExactly(List.of("1.0"), List.of("latest"));
  }

  @Test
  void aTagThatComesBackToAnEarlierImageIsPlannedAgain() throws Exception {
    List<Descriptor> old = List.of(layer("a"));
    List<Descriptor> bad = List.of(layer("b"));
    for (List<Descriptor> layers : List.of(old, bad, old)) {
      RawImage.push(repository, "1.0", layers);
      planTag("1.0");
    }
    List<String> ids = plans().stream().map(PlanOpened::planId).toList();
    assertThat(ids).as("v2 of 1.0 has to come back as well").hasSize(3);
    assertThat(ids.get(2)).isEqualTo(ids.get(0)).isNotEqualTo(ids.get(1));
  }

  @Test
  void otherRulesAreAnotherPlan() throws Exception {
    RawImage.push(repository, "1.0", List.of(layer("a")));
    planTag("1.0");
    planner = planner(rig.producer(), "span-size", "128KiB");
    planTag("1.0");
    assertThat(plans()).extracting(PlanOpened::planId).doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void aManifestPushedByItsDigestGetsV1Only() throws Exception {
    ManifestBlob image = RawImage.push(repository, null, List.of(layer("a")));
    plan(pushed(null, image.digest(), Instant.now()));
    assertThat(plans().getFirst().publishV1()).isTrue();
    assertThat(plans().getFirst().publishV2()).isFalse();
  }

  @Test
  void whereNeitherIndexIsToBePublishedNothingIsBuilt() throws Exception {
    ManifestBlob image = RawImage.push(repository, null, List.of(layer("a")));
    planner = planner(rig.producer(), "publish-v1", "false");
    plan(pushed(null, image.digest(), Instant.now()));
    nothingWasStarted();
    assertThat(done).hasValue(1);
  }

  @Test
  void nothingToIndexIsAnOutcomeWithReasons() throws Exception {
    Descriptor zstd =
        RawImage.blob(
            repository, "application/vnd.oci.image.layer.v1.tar+zstd", utf8("z".repeat(2000)));
    ManifestBlob image =
        RawImage.push(repository, "1.0", List.of(RawImage.layer(repository, utf8("small")), zstd));
    planTag("1.0");
    assertThat(plans()).isEmpty();
    assertThat(tasks()).isEmpty();
    assertThat(images()).hasSize(1);
    ImageOutcome outcome = images().getFirst();
    assertThat(outcome.status()).isEqualTo("nothing-to-index");
    assertThat(outcome.reason()).isNotEmpty();
    assertThat(outcome.target()).isEqualTo(image.digest());
    assertThat(outcome.platforms().getFirst().layers())
        .extracting(ImageOutcome.LayerDecision::reason)
        .satisfiesExactly(
            reason -> assertThat(reason).contains("smallest"),
            reason -> assertThat(reason).contains("zstd"));
  }

  @Test
  void aMalformedManifestEndsAsFailedWithItsReason() throws Exception {
    byte[] bytes = utf8("{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:12\",\"size\":1}}");
    ManifestBlob malformed = new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
    registries.next("manifest", Optional.of(malformed));
    planTag("1.0");
    assertThat(images()).hasSize(1);
    assertThat(images().getFirst().status()).isEqualTo("failed");
    assertThat(images().getFirst().reason()).contains("config.digest");
    assertThat(images().getFirst().target()).isEqualTo(malformed.digest());
    assertThat(plans()).isEmpty();
    assertThat(done).hasValue(1);
  }

  @Test
  void anImageWithoutItsConfigEndsAsFailedWithItsReason() throws Exception {
    Descriptor gone = Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(utf8("never there")), 11);
    List<Descriptor> layers = List.of(layer("a"));
    byte[] bytes =
        OciJson.write(new ImageManifest(MediaTypes.OCI_MANIFEST, "", gone, layers, null, Map.of()));
    ManifestBlob image = new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
    registries.next("manifest", Optional.of(image)); // a registry that checks takes no such push
    planTag("1.0");
    assertThat(images()).hasSize(1);
    assertThat(images().getFirst().status()).isEqualTo("failed");
    assertThat(images().getFirst().reason()).contains(gone.digest().toString());
    assertThat(images().getFirst().target()).isEqualTo(image.digest());
    assertThat(plans()).isEmpty();
    assertThat(done).hasValue(1);
  }

  @Test
  void anImageWhosePlanNoRecordHoldsEndsAsFailedAndHoldsNothingBack() throws Exception {
    ManifestBlob small = RawImage.push(repository, "1.0", List.of(layer("a")));
    List<Descriptor> layers = new ArrayList<>();
    for (int i = 0; i < 6000; i++) {
      layers.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(utf8("layer " + i)), 2000));
    }
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                OciJson.manifest(small.bytes()).config(),
                layers,
                null,
                Map.of()));
    ManifestBlob image = new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
    registries.next("manifest", Optional.of(image));
    planTag("1.0");
    assertThat(images()).hasSize(1);
    assertThat(images().getFirst().status()).isEqualTo("failed");
    assertThat(images().getFirst().reason()).contains("more than").contains("a record may have");
    assertThat(images().getFirst().target()).isEqualTo(image.digest());
    assertThat(plans()).isEmpty();
    assertThat(tasks()).isEmpty();
    assertThat(done).hasValue(1);
  }

  @Test
  void anImageThatIsGoneStartsNothing() throws Exception {
    planTag("never-there");
    plan(pushed(null, Digest.of(utf8("gone")), Instant.now()));
    nothingWasStarted();
    assertThat(done).hasValue(2);
  }

  @Test
  void aTemporaryFailureIsPlannedLater() throws Exception {
    RawImage.push(repository, "1.0", List.of(layer("a")));
    registries.next("manifest", answered(503, null));
    planTag("1.0");
    nothingWasStarted();
    assertThat(done).as("it holds no other push back").hasValue(1);
    assertThat(rig.sent().destinations(Topic.DELAYED_10S, name)).containsExactly("PUSHES");

    plan(rig.sent().on(Topic.DELAYED_10S, name, ImagePushed.class).getFirst());
    assertThat(plans()).hasSize(1);
    assertThat(tasks()).hasSize(1);
  }

  @Test
  void aRegistryThatAsksForTimeGetsIt() throws Exception {
    registries.next("manifest", answered(429, Duration.ofMinutes(2)));
    planTag("1.0");
    nothingWasStarted();
    assertThat(rig.sent().destinations(Topic.DELAYED_10M, name)).containsExactly("PUSHES");
  }

  @Test
  void aPushThatFailedForADayIsGivenUpAndAPermanentFailureAtOnce() throws Exception {
    registries.next("manifest", answered(503, null), answered(403, null, "DENIED"));
    plan(pushed("1.0", null, Instant.now().minus(Duration.ofDays(2))));
    planTag("1.0");
    nothingWasStarted();
    for (Topic delays : List.of(Topic.DELAYED_10S, Topic.DELAYED_1M, Topic.DELAYED_10M)) {
      assertThat(rig.sent().destinations(delays, name)).isEmpty();
    }
    assertThat(done).hasValue(2);
  }
}
