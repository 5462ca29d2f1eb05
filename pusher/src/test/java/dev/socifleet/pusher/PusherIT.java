package dev.socifleet.pusher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.socifleet.events.EventJson;
import dev.socifleet.events.PushEvent.ImagePushed;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.service.Settings;
import dev.socifleet.testing.SentEvents.DeadLetter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The whole service. */
class PusherIT extends PlanFixture {

  private static Pusher start() throws Exception {
    return Pusher.start(PusherConfig.from(Settings.of(rig.settings())));
  }

  private void awaitOutcome() {
    await().atMost(Duration.ofSeconds(200)).until(() -> !images().isEmpty());
  }

  @Test
  void aSuccessorReadsAgainWhatWasNotFinished() throws Exception {
    ManifestBlob image = image("1.0", "a", "b");
    PlanOpened plan = plan(image, "a", "b");
    rig.producer().sendAll(Topic.ZTOCS, List.of(plan, indexed(plan, "a")));
    try (Pusher first = start()) {
      await().atMost(Duration.ofSeconds(200)).until(() -> openPlans(first).equals("1.0"));
    }
    rig.producer().send(Topic.ZTOCS, indexed(plan, "b"));
    try (Pusher _ = start()) {
      awaitOutcome();
    }
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(onlyImage().reason()).isEmpty();
    assertThat(v1Of(image)).hasSize(1);
  }

  private static String openPlans(Pusher pusher) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI metrics = URI.create("http://127.0.0.1:" + pusher.adminPort() + "/metrics");
      String text =
          client
              .send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString())
              .body();
      return text.lines()
          .filter(line -> line.startsWith("soci_pusher_open_plans "))
          .map(line -> line.split(" ", 2)[1])
          .findFirst()
          .orElse("none");
    }
  }

  @Test
  void recordsThatNobodyCanReadBecomeDeadLettersAndHoldNothingBack() throws Exception {
    ManifestBlob image = image("1.0", "a");
    PlanOpened plan = plan(image, "a");
    String halfAPlan = "{\"schema\":1,\"type\":\"PlanOpened\",\"planId\":\"x\"}";
    rig.sendRaw(Topic.ZTOCS, name, utf8("no JSON"));
    rig.sendRaw(Topic.ZTOCS, name, utf8(halfAPlan));
    rig.sendRaw(
        Topic.ZTOCS, name, EventJson.write(new ImagePushed(name, "test", "1.0", null, now)));
    rig.producer().sendAll(Topic.ZTOCS, List.of(plan, indexed(plan, "a")));
    try (Pusher _ = start()) {
      awaitOutcome();
    }
    assertThat(onlyImage().status()).isEqualTo("published");
    assertThat(rig.sent().deadLetters(name))
        .extracting(DeadLetter::topic, DeadLetter::value)
        .containsExactlyInAnyOrder(tuple("soci.ztocs", "no JSON"), tuple("soci.ztocs", halfAPlan));
  }
}
