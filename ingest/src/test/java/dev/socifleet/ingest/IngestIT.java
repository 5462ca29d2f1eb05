package dev.socifleet.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.PushEvent;
import dev.socifleet.events.Topic;
import dev.socifleet.service.Settings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ingest over HTTP, with a real broker behind it. */
class IngestIT {
  private static final String DIGEST = "sha256:" + "ab".repeat(32);

  @TempDir Path directory;
  private final HttpClient http = HttpClient.newHttpClient();
  private EmbeddedBroker broker;
  private Ingest ingest;

  @BeforeEach
  void start() throws Exception {
    broker = EmbeddedBroker.start(directory, 0);
    startIngest("delivery.timeout.ms=120000,max.block.ms=120000");
  }

  /**
   * @param client settings of Kafka's client
   */
  private void startIngest(String client) throws Exception {
    Map<String, String> settings = new HashMap<>();
    settings.put("listen", "127.0.0.1:0");
    settings.put("admin.listen", "127.0.0.1:0");
    settings.put("body-limit", "64KiB");
    settings.put("kafka.bootstrap", broker.bootstrap());
    settings.put("kafka.replication", "1");
    settings.put("kafka.client", client);
    settings.put("source.0.name", "main");
    settings.put("source.0.registry", "registry.example:5000");
    settings.put("source.0.repositories", "team/*");
    settings.put("source.0.authorization", "Bearer opensesame");
    ingest = Ingest.start(IngestConfig.from(Settings.of(settings)));
    await().atMost(Duration.ofSeconds(200)).until(() -> get("/readyz") == 200);
  }

  @AfterEach
  void stop() {
    ingest.close();
    broker.close();
  }

  private int get(String path) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ingest.adminPort() + path)).build();
    return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  private int post(String path, String authorization, String body) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ingest.port() + path))
            .header("Content-Type", "application/vnd.docker.distribution.events.v2+json")
            .header("Authorization", authorization)
            .timeout(Duration.ofMinutes(5))
            .POST(HttpRequest.BodyPublishers.ofString(body));
    return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  private int post(String body) throws Exception {
    return post("/v1/events/main", "Bearer opensesame", body);
  }

  private static String event(String action, String mediaType, String repository, String tag) {
    return "{\"id\":\"1\",\"action\":\""
        + action
        + "\",\"target\":{\"mediaType\":\""
        + mediaType
        + "\",\"digest\":\""
        + DIGEST
        + "\",\"size\":1,\"repository\":\""
        + repository
        + "\",\"url\":\"https://evil.example/v2/\",\"tag\":\""
        + tag
        + "\"},\"request\":{\"host\":\"evil.example\"}}";
  }

  private static String envelope(String... events) {
    return "{\"events\":[" + String.join(",", events) + "]}";
  }

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

  @Test
  void pushesOfManifestsReachKafkaUnderTheConfiguredHostAndNothingElseDoes() throws Exception {
    String body =
        envelope(
            event("push", MANIFEST, "team/app", "1.2"),
            event("pull", MANIFEST, "team/app", "1.2"),
            event("push", "application/octet-stream", "team/app", ""),
            event("push", MANIFEST, "other/app", "1.2"));
    assertThat(post(body)).isEqualTo(202);

    List<PushEvent.ImagePushed> received = new CopyOnWriteArrayList<>();
    try (var producer = new EventProducer(KafkaAccess.local(broker.bootstrap()));
        var _ =
            EventConsumer.start(
                producer,
                Topic.PUSHES,
                "test",
                (event, partition, done) -> {
                  received.add((PushEvent.ImagePushed) event);
                  done.run();
                })) {
      await().atMost(Duration.ofSeconds(200)).until(() -> !received.isEmpty());
      assertThat(post(envelope(event("push", MANIFEST, "team/app", "2")))).isEqualTo(202);
      await().atMost(Duration.ofSeconds(200)).until(() -> received.size() == 2);
    }
    assertThat(received)
        .extracting(pushed -> pushed.repository().toString())
        .containsOnly("registry.example:5000/team/app");
    assertThat(received).extracting(PushEvent.ImagePushed::tag).containsExactly("1.2", "2");
  }

  @Test
  void whatIsWrongWithARequestDecidesItsStatus() throws Exception {
    assertThat(post("/v1/events/other", "Bearer opensesame", envelope())).isEqualTo(404);
    assertThat(post("/v1/events/main", "Bearer wrong", envelope())).isEqualTo(401);
    assertThat(post("not json")).isEqualTo(400);
    assertThat(post("{}")).isEqualTo(400);
    assertThat(post(envelope(event("push", MANIFEST, "team/UPPER", "1")))).isEqualTo(400);
    assertThat(post(envelope(event("push", MANIFEST, "team/app", "not a tag")))).isEqualTo(400);
    assertThat(post("{\"events\":[],\"x\":\"" + "x".repeat(70_000) + "\"}")).isEqualTo(413);
    assertThat(post(envelope())).isEqualTo(202);
  }

  @Test
  void withoutKafkaTheSenderIsToldToComeAgainAndLaterSucceeds() throws Exception {
    ingest.close();
    startIngest("delivery.timeout.ms=4000,request.timeout.ms=2000,max.block.ms=2000");
    int port = broker.port();
    broker.close();
    assertThat(post(envelope(event("push", MANIFEST, "team/app", "1")))).isEqualTo(503);

    broker = EmbeddedBroker.start(directory, port);
    await()
        .atMost(Duration.ofSeconds(200))
        .until(() -> post(envelope(event("push", MANIFEST, "team/app", "1"))) == 202);
  }
}
