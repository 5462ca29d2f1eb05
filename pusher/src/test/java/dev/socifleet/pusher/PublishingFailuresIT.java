package dev.socifleet.pusher;

import static dev.socifleet.testing.ScriptedRegistries.answered;
import static dev.socifleet.testing.ScriptedRegistries.reset;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RepositoryName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a registry that refuses, forgets or fails does to a plan, and to the plans beside it. */
class PublishingFailuresIT extends PlanFixture {

  /** Failures that may pass: no answer, too many requests, a server in trouble. */
  @Test
  void aTemporaryFailureOfTheRegistryIsTriedAgainEachTimeLater() throws Exception {
    registries.next("putReferrer", reset(), answered(429, null), answered(503, null));
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    handle(plan, indexed(plan, "a"));
    for (int seconds = 2; seconds <= 8; seconds *= 2) {
      long attempts = registries.calls("putReferrer");
      tickAfter(Duration.ofSeconds(seconds - 1));
      assertThat(registries.calls("putReferrer")).as("left alone").isEqualTo(attempts);
      assertThat(images()).isEmpty();
      assertThat(done).as("a successor would have to know").hasValue(0);
      tickAfter(Duration.ofSeconds(1));
      assertThat(registries.calls("putReferrer")).isEqualTo(attempts + 1);
    }
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(v1Of(image)).hasSize(1);
    assertThat(done).hasValue(2);
  }

  @Test
  void aRegistryThatAsksForTimeGetsIt() throws Exception {
    registries.next("putReferrer", answered(429, Duration.ofMinutes(5)));
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(plan, indexed(plan, "a"), indexed(plan, "a"));
    tickAfter(Duration.ofSeconds(299));
    assertThat(registries.calls("putReferrer")).isEqualTo(1);
    tickAfter(Duration.ofSeconds(1));
    assertThat(registries.calls("putReferrer")).isEqualTo(2);
    assertThat(onlyImage().status()).isEqualTo("published");
  }

  @Test
  void aPlanThatTheRegistryHeldUpSaysSoWhenItsTimeIsOver() throws Exception {
    registries.next("putReferrer", answered(503, DEADLINE.multipliedBy(2)));
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(plan, indexed(plan, "a"));
    tickAfter(DEADLINE.plusSeconds(1));
    assertThat(onlyImage().status()).isEqualTo("failed");
    assertThat(onlyImage().reason()).isEqualTo("timeout: cannot do it: 503");
    assertThat(done).hasValue(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403})
  void aCredentialThatDoesNotSufficeEndsThePlan(int status) throws Exception {
    PlanOpened plan = plan(image("1.0", "a"), "a");
    registries.next("putReferrer", answered(status, null));
    handle(plan, indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("failed");
    assertThat(onlyImage().reason()).isEqualTo("cannot do it: " + status);
    assertThat(done).hasValue(2);
  }

  @Test
  void aRegistryThatRefusesReferrersGetsV2Only() throws Exception {
    registries.next("putReferrer", answered(400, null, "MANIFEST_INVALID"));
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(plan, indexed(plan, "a"));
    ImageOutcome outcome = onlyImage();
    assertThat(outcome.status()).isEqualTo("published");
    assertThat(outcome.reason()).contains("refuses v1");
    assertThat(outcome.platforms().getFirst().v1()).isNull();
    assertThat(repository.headManifest("1.0-soci")).isPresent();
  }

  @Test
  void aTagThatMovedGetsNoV2() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    image("1.0", "another");
    handle(plan, indexed(plan, "a"));
    assertThat(onlyImage().status()).as("v1 belongs to the digest").isEqualTo("published");
    assertThat(onlyImage().reason()).contains("tag 1.0 points elsewhere");
    assertThat(repository.headManifest("1.0-soci")).isEmpty();
  }

  @Test
  void aForgottenZtocIsMadeAgainThreeTimesAtMost() throws Exception {
    for (int i = 0; i < 5; i++) {
      registries.next("putReferrer", answered(404, null, "MANIFEST_BLOB_UNKNOWN"));
    }
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(plan);
    for (int i = 1; i <= 3; i++) {
      handle(indexed(plan, "a"));
      assertThat(rig.sent().on(Topic.LAYERS, name, LayerTask.class))
          .hasSize(i)
          .allMatch(task -> task.layer().equals(layer("a")) && task.attempt() == 1);
      assertThat(images()).isEmpty();
    }
    handle(indexed(plan, "a"));
    assertThat(rig.sent().on(Topic.LAYERS, name, LayerTask.class)).hasSize(3);
    assertThat(onlyImage().status()).isEqualTo("failed");
    assertThat(done).hasValue(5);
  }

  @Test
  void aForgottenZtocThatWasMadeAgainIsPublished() throws Exception {
    registries.next("putReferrer", answered(404, null, "MANIFEST_BLOB_UNKNOWN"));
    PlanOpened plan = plan(image("1.0", "a"), "a");
    handle(plan, indexed(plan, "a"));
    tickAfter(Duration.ofMinutes(1));
    assertThat(registries.calls("putReferrer")).as("not before it is there again").isEqualTo(1);
    handle(indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("published");
  }

  @Test
  void aPlanThatMeetsADefectEndsAndOthersGoOn() throws Exception {
    registries.next("headManifest", new IllegalStateException("a defect"));
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    handle(plan, indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("failed");
    assertThat(onlyImage().reason()).contains("a defect");
    assertThat(done).hasValue(2);
    tickAfter(DEADLINE.plusSeconds(1));
    assertThat(images()).hasSize(1);
  }

  /** The index of an image of two platforms, and its plan. */
  private record TwoPlatforms(ManifestBlob first, ManifestBlob second, PlanOpened plan) {}

  private TwoPlatforms twoPlatforms() throws Exception {
    ManifestBlob first = image(null, "a");
    ManifestBlob second = image(null, "b");
    byte[] bytes =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX,
                "",
                List.of(planned(first, "a").manifest(), planned(second, "b").manifest()),
                null,
                Map.of()));
    repository.putManifest("1.0", MediaTypes.OCI_INDEX, bytes);
    PlanOpened plan =
        plan(
            new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(bytes), bytes),
            planned(first, "a"),
            planned(second, "b"));
    return new TwoPlatforms(first, second, plan);
  }

  @Test
  void aPlatformThatWasDeletedMeanwhileCostsV2AndIsSaid() throws Exception {
    TwoPlatforms image = twoPlatforms();
    assertThat(repository.deleteManifest(image.second().digest().toString())).isTrue();
    handle(image.plan(), indexed(image.plan(), "a"), indexed(image.plan(), "b"));
    assertThat(onlyImage().status()).as("v1 is there").isEqualTo("published");
    assertThat(onlyImage().reason()).contains(image.second().digest().toString());
    assertThat(v1Of(image.first())).hasSize(1);
    assertThat(v1Of(image.second())).isEmpty();
    assertThat(onlyImage().v2()).isNull();
    assertThat(done).hasValue(3);
  }

  @Test
  void anImageThatWasDeletedMeanwhileGetsNothing() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    assertThat(repository.deleteManifest(image.digest().toString())).isTrue();
    handle(plan, indexed(plan, "a"));
    assertThat(onlyImage().status()).isEqualTo("failed");
    assertThat(onlyImage().reason()).contains("was deleted");
    assertThat(v1Of(image)).isEmpty();
    assertThat(repository.tags()).isEmpty();
    assertThat(done).hasValue(2);
  }

  @Test
  void aPlanOfARegistryThatIsNotAllowedEndsAndOthersGoOn() throws Exception {
    RepositoryName own = name;
    ManifestBlob image = image("1.0", "a");
    PlanOpened ours = plan(image, "a");
    name =
        new RepositoryName("elsewhere.example", own.name()); // it was allowed when it was planned
    PlanOpened complete = plan(image, "a");
    ManifestBlob other =
        new ManifestBlob(MediaTypes.OCI_MANIFEST, layer("no image"), utf8("no image"));
    PlanOpened late = plan(other, "a");
    handle(complete, outcome(complete, "a", new LayerResult.Reused(layer("z"), 1)), late);
    tickAfter(DEADLINE.plusSeconds(1));
    assertThat(images())
        .extracting(ImageOutcome::target, ImageOutcome::status, ImageOutcome::reason)
        .containsExactlyInAnyOrder(
            tuple(
                image.digest(),
                "failed",
                "cannot use " + name + ": its registry isn't in the list of allowed ones"),
            tuple(other.digest(), "failed", "timeout"));

    name = own;
    handle(ours, indexed(ours, "a"));
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(done).hasValue(5);
  }
}
