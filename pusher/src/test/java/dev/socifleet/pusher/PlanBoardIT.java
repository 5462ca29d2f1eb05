package dev.socifleet.pusher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.ImageOutcome.LayerDecision;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.sociindex.SociIndex;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a plan is published, and what its records mean when they come late, again or not at all. */
class PlanBoardIT extends PlanFixture {

  @Test
  void aPlanIsPublishedWhenItsLastOutcomeIsThere() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    handle(plan, indexed(plan, "a"));
    assertThat(images()).isEmpty();
    assertThat(v1Of(image)).isEmpty();
    assertThat(done).as("unfinished records come again after a kill").hasValue(0);

    handle(indexed(plan, "b"));
    ImageOutcome outcome = onlyImage();
    assertThat(outcome.status()).isEqualTo("published");
    assertThat(outcome.reason()).isEmpty();
    assertThat(v1Of(image))
        .extracting(Descriptor::digest)
        .containsExactly(outcome.platforms().getFirst().v1());
    assertThat(repository.headManifest("1.0-soci"))
        .hasValueSatisfying(v2 -> assertThat(v2.digest()).isEqualTo(outcome.v2()));
    assertThat(outcome.platforms().getFirst().layers())
        .extracting(LayerDecision::decision)
        .containsExactly("indexed", "indexed");
    assertThat(done).hasValue(3);
  }

  @Test
  void outcomesMayComeBeforeTheirPlan() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    handle(indexed(plan, "a"));
    board.tick();
    assertThat(images()).isEmpty();

    handle(plan);
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(done).hasValue(2);
  }

  @Test
  void replaysOfAnEndedPlanChangeNothing() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    LayerOutcome a = indexed(plan, "a");
    LayerOutcome b = indexed(plan, "b");
    handle(plan, a, a, b);
    assertThat(done).hasValue(4);
    long writes = registries.calls("putManifest") + registries.calls("putReferrer");

    handle(b, a, plan, a, b);
    board.tick();
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(done).as("and hold no offset back").hasValue(9);
    assertThat(registries.calls("putManifest") + registries.calls("putReferrer")).isEqualTo(writes);
  }

  @Test
  void theSameImageAnnouncedAgainLaterIsPublishedAgainWithoutEffect() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    LayerOutcome a = indexed(plan, "a");
    handle(plan, a);
    now = now.plusSeconds(90);
    handle(plan(image, "a"), a);
    assertThat(images()).hasSize(2).extracting(ImageOutcome::status).containsOnly("published");
    assertThat(v1Of(image)).hasSize(1);
    assertThat(done).hasValue(4);
  }

  @Test
  void aFailedOrSkippedLayerMeansTheIndexWithoutIt() throws Exception {
    ManifestBlob image = image("1.0", "a", "b", "c");
    PlanOpened plan = plan(image, "a", "b", "c");
    handle(
        plan,
        outcome(plan, "a", new LayerResult.Failed("the registry was away")),
        indexed(plan, "b"),
        outcome(plan, "c", new LayerResult.Skipped("no gzip")));
    ImageOutcome outcome = onlyImage();
    assertThat(outcome.status()).isEqualTo("published");
    assertThat(outcome.reason()).isEqualTo("a layer was left out");
    assertThat(outcome.platforms().getFirst().layers())
        .extracting(LayerDecision::decision, LayerDecision::reason)
        .containsExactly(
            tuple("failed", "the registry was away"),
            tuple("indexed", ""),
            tuple("skipped", "no gzip"));
    SociIndex index =
        SociIndex.read(
            repository.manifest(v1Of(image).getFirst().digest().toString()).orElseThrow().bytes());
    assertThat(index.ztocs()).extracting(SociIndex.LayerZtoc::layer).containsExactly(layer("b"));
  }

  @Test
  void aPlanOfWhichNoLayerGotAZtocPublishesNothing() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    handle(plan, outcome(plan, "a", new LayerResult.Skipped("no gzip")));
    assertThat(onlyImage().status()).isEqualTo("nothing-to-index");
    assertThat(v1Of(image)).isEmpty();
    assertThat(repository.headManifest("1.0-soci")).isEmpty();
  }

  @Test
  void aLayerThatThePlanLeftOutIsNotWaitedFor() throws Exception {
    ManifestBlob image = image("1.0", "a", LEFT_OUT);
    PlanOpened plan = plan(image, "a", LEFT_OUT);
    handle(plan, indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(onlyImage().platforms().getFirst().layers())
        .extracting(LayerDecision::decision, LayerDecision::reason)
        .containsExactly(tuple("indexed", ""), tuple("skipped", LEFT_OUT));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void onlyWhatThePlanWantsIsPublished(boolean v1) throws Exception {
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(with(plan, List.of("1.0"), v1, !v1), indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(onlyImage().platforms().getFirst().v1() != null).isEqualTo(v1);
    assertThat(onlyImage().v2() != null).isEqualTo(!v1);
    assertThat(repository.headManifest("1.0-soci").isPresent()).isEqualTo(!v1);
  }

  @Test
  void everyTagThatWasAnnouncedGetsItsV2() throws Exception {
    ManifestBlob image = image("1.0", "a");
    image("latest", "a");
    PlanOpened plan = plan(image, "a");
    handle(plan, with(plan, List.of("latest"), true, true), indexed(plan, "a"));
    assertThat(onlyImage().tags()).containsExactly("1.0", "latest");
    assertThat(repository.tags())
        .containsExactlyInAnyOrder("1.0", "latest", "1.0-soci", "latest-soci");
  }

  @Test
  void aZtocThatIsThereIsNotLostByALaterFailureOfTheSameTask() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    handle(
        plan,
        indexed(plan, "a"),
        outcome(plan, "a", new LayerResult.Failed("building it ended the worker 4 times")),
        indexed(plan, "b"));
    assertThat(onlyImage().platforms().getFirst().layers())
        .extracting(LayerDecision::decision)
        .containsExactly("indexed", "indexed");
  }

  @Test
  void aPlanOpenForLongIsAppendedAgainWithItsOutcomesAndHoldsNothingBack() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    handle(plan, indexed(plan, "a"));
    tickAfter(CARRY_OVER);
    assertThat(appended()).as("not yet").isEmpty();
    assertThat(done).hasValue(0);

    tickAfter(Duration.ofSeconds(1));
    board.tick();
    assertThat(appended()).hasSize(1);
    PlanOpened carried = appended().getFirst();
    assertThat(carried.deadline()).as("the first one").isEqualTo(plan.deadline());
    assertThat(carried.openedAt()).isEqualTo(plan.openedAt());
    assertThat(carried.outcomes()).containsOnlyKeys(layer("a").toString());
    assertThat(done).hasValue(2);

    board = newBoard(); // a successor begins after the records that are finished
    handle(carried, indexed(plan, "b"));
    assertThat(onlyImage().platforms().getFirst().layers())
        .extracting(LayerDecision::decision)
        .containsExactly("indexed", "indexed");
    assertThat(done).hasValue(4);
  }

  private List<PlanOpened> appended() {
    return rig.sent().on(Topic.ZTOCS, name, PlanOpened.class);
  }

  @Test
  void aPlanThatEndedBeforeItsCarriedRecordIsReadStaysPublished() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    handle(plan, indexed(plan, "a"));
    tickAfter(CARRY_OVER.plusSeconds(1));
    handle(indexed(plan, "b")); // was on its way when the plan was appended behind it
    assertThat(onlyImage().status()).isEqualTo("published");

    handle(appended().getFirst());
    assertThat(done).as("it waits for nothing").hasValue(4);
    tickAfter(DEADLINE);
    assertThat(onlyImage().status()).isEqualTo("published");
  }

  @Test
  void aDeadlineEndsAPlanAsFailed() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    handle(plan, indexed(plan, "a"));
    tickAfter(DEADLINE);
    assertThat(images()).as("not yet").isEmpty();

    tickAfter(Duration.ofSeconds(1));
    ImageOutcome outcome = onlyImage();
    assertThat(outcome.status()).isEqualTo("failed");
    assertThat(outcome.reason()).isEqualTo("timeout");
    assertThat(outcome.platforms().getFirst().layers())
        .extracting(LayerDecision::reason)
        .containsExactly("", "no outcome came in time");
    assertThat(v1Of(image)).isEmpty();
    assertThat(done).hasValue(2);

    handle(indexed(plan, "b"));
    assertThat(images()).as("too late").hasSize(1);
    assertThat(done).hasValue(3);
  }

  @Test
  void outcomesWhosePlanNeverComesHoldNothingBack() throws Exception {
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(indexed(plan, "a"));
    tickAfter(CARRY_OVER);
    assertThat(done).as("it may still come").hasValue(0);
    tickAfter(Duration.ofSeconds(1));
    assertThat(done).hasValue(1);
    assertThat(images()).isEmpty();
  }

  @Test
  void anImageOfMoreLayersThanARecordHoldsIsPublishedAllTheSame() throws Exception {
    ManifestBlob image = image("1.0", "a");
    String[] layers = new String[3000];
    Arrays.setAll(layers, i -> i == 0 ? "a" : "layer " + i);
    PlanOpened plan = plan(image, layers);
    handle(plan);
    for (int i = 1; i < layers.length; i++) {
      handle(outcome(plan, layers[i], new LayerResult.Failed("x".repeat(300))));
    }
    tickAfter(CARRY_OVER.plusSeconds(1));
    assertThat(appended()).as("it can't be, and stays").isEmpty();
    assertThat(done).hasValue(0);

    handle(indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(onlyImage().reason()).contains("too many to list");
    assertThat(onlyImage().platforms().getFirst().v1()).isNotNull();
    assertThat(done).hasValue(layers.length + 1);
  }

  @Test
  void thePlansOfALostPartitionAreAnothersNow() throws Exception {
    PlanOpened lost = plan(image("1.0", "a"), "a");
    PlanOpened kept = plan(image("1.0", "b"), "b");
    board.handle(lost, 0, done::incrementAndGet);
    board.handle(kept, 1, done::incrementAndGet);
    board.lost(List.of(0));
    handle(indexed(lost, "a"), indexed(kept, "b"));
    assertThat(onlyImage().target()).isEqualTo(kept.target().digest());
    assertThat(done).as("whoever has the lost one's reads them again").hasValue(2);
  }
}
