package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.indexer.Indexer;
import dev.socifleet.indexer.IndexerConfig;
import dev.socifleet.ingest.Ingest;
import dev.socifleet.ingest.IngestConfig;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.pusher.Pusher;
import dev.socifleet.pusher.PusherConfig;
import dev.socifleet.service.Settings;
import dev.socifleet.sociindex.IndexDiscovery;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.FreePort;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OpenRegistries;
import dev.socifleet.testing.RawImage;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.Ztoc;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From a push to published indexes, on a real registry and a real broker. */
@Timeout(1800)
class PushToIndexIT {
  @TempDir Path directory;
  private EmbeddedBroker broker;
  private Ingest ingest;
  private DockerRegistry registry;
  private Indexer indexer;
  private Pusher pusher;
  private HttpRegistries registries;
  private Repository repository;

  @BeforeEach
  void start() throws Exception {
    Needs.programs("docker-registry");
    broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
    int port = FreePort.choose();
    Map<String, String> ingestSettings = pipeline(port);
    ingestSettings.remove("registry.0.host");
    ingestSettings.put("listen", "127.0.0.1:0");
    ingestSettings.put("source.0.name", "main");
    ingestSettings.put("source.0.registry", "127.0.0.1:" + port);
    ingestSettings.put("source.0.authorization", "Bearer webhook-secret");
    ingest = Ingest.start(IngestConfig.from(Settings.of(ingestSettings)));
    registry =
        DockerRegistry.start(
            directory,
            port,
            "http://127.0.0.1:" + ingest.port() + "/v1/events/main",
            "Bearer webhook-secret");
    startIndexer();
    startPusher();
    registries = OpenRegistries.at(registry.host());
    repository = registries.repository(new RepositoryName(registry.host(), "team/app"));
  }

  private Map<String, String> pipeline(int port) {
    Map<String, String> settings = new HashMap<>();
    settings.put("admin.listen", "127.0.0.1:0");
    settings.put("kafka.bootstrap", broker.bootstrap());
    settings.put("kafka.replication", "1");
    settings.put("registry.0.host", "127.0.0.1:" + port);
    return settings;
  }

  private int registryPort() {
    return Integer.parseInt(registry.host().split(":", 2)[1]);
  }

  private void startIndexer() throws Exception {
    Map<String, String> settings = pipeline(registryPort());
    settings.put("min-layer-size", "1000");
    settings.put("span-size", "64KiB");
    indexer = Indexer.start(IndexerConfig.from(Settings.of(settings)));
  }

  private void startPusher() throws Exception {
    pusher = Pusher.start(PusherConfig.from(Settings.of(pipeline(registryPort()))));
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part :
        new AutoCloseable[] {pusher, indexer, ingest, registries, registry, broker}) {
      if (part != null) {
        part.close();
      }
    }
  }

  private Digest push(String tag, byte[]... layers) throws Exception {
    List<Descriptor> descriptors = new ArrayList<>();
    for (byte[] layer : layers) {
      descriptors.add(RawImage.layer(repository, layer));
    }
    return RawImage.push(repository, tag, descriptors).digest();
  }

  /** A task that failed for now may be delayed, by ten minutes at most. */
  private void awaitIndexed(String tag, Digest image) {
    await()
        .atMost(Duration.ofMinutes(12))
        .ignoreExceptions()
        .until(() ->
            !repository.referrers(image, SociTerms.V1_TYPE).isEmpty()
                && repository.headManifest(tag + "-soci").isPresent());
  }

  @Test
  void aPushedImageGetsBothIndexesAndOurOwnPushesStartNothing() throws Exception {
    byte[] good = RawImage.tarGzip(1);
    byte[] bad = good.clone();
    bad[bad.length / 2] ^= 1; // one damaged layer must not cost the others their index
    Digest image = push("1.0", good, bad);
    awaitIndexed("1.0", image);

    List<Descriptor> v1 = repository.referrers(image, SociTerms.V1_TYPE);
    assertThat(v1).hasSize(1);
    SociIndex index =
        SociIndex.read(
            repository.manifest(v1.getFirst().digest().toString()).orElseThrow().bytes());
    assertThat(index.ztocs()).hasSize(1);
    assertThat(index.ztocs().getFirst().layer()).isEqualTo(Digest.of(good));
    verifySpans(index.ztocs().getFirst(), good);

    var converted = OciJson.index(repository.manifest("1.0-soci").orElseThrow().bytes());
    assertThat(converted.manifests()).hasSize(2);
    var manifest =
        repository.manifest(converted.manifests().getFirst().digest().toString()).orElseThrow();
    assertThat(IndexDiscovery.find(repository, manifest, null))
        .hasValueSatisfying(found -> assertThat(found.index().ztocs()).isEqualTo(index.ztocs()));

    // Our own pushes were announced too, before this one: a loop would show by its end.
    awaitIndexed("last", push("last", RawImage.tarGzip(6)));
    assertThat(repository.tags())
        .filteredOn(tag -> !tag.startsWith("sha256-")) // of referrers
        .containsExactlyInAnyOrder("1.0", "1.0-soci", "last", "last-soci");
  }

  private void verifySpans(SociIndex.LayerZtoc described, byte[] layer) throws Exception {
    byte[] blob;
    try (InputStream stream = repository.openBlob(described.ztoc())) {
      blob = stream.readAllBytes();
    }
    Ztoc ztoc = Ztoc.parse(blob);
    assertThat(ztoc.spanCount()).isGreaterThan(1);
    for (int i = 0; i < ztoc.spanCount(); i++) {
      Span span = ztoc.span(i);
      byte[] bytes =
          java.util.Arrays.copyOfRange(
              layer, (int) span.compressedStart(), (int) span.compressedEnd());
      assertThat(Digest.of(bytes).hash()).isEqualTo(span.sha256());
    }
  }

  @Test
  void theSameImageUnderManyTagsHasOneV1IndexAndAV2EachAfterRestartsInBetween() throws Exception {
    byte[] layer = RawImage.tarGzip(2);
    Digest image = push("t0", layer);
    pusher.close();
    for (int i = 1; i < 5; i++) {
      push("t" + i, layer);
    }
    indexer.close();
    push("t5", layer);
    startIndexer();
    startPusher();

    for (int i = 0; i < 6; i++) {
      awaitIndexed("t" + i, image);
    }
    assertThat(repository.referrers(image, SociTerms.V1_TYPE)).hasSize(1);
  }

  @Test
  void theSamePushAnnouncedAHundredTimesIsIndexedOnce() throws Exception {
    byte[] first = RawImage.tarGzip(3);
    Digest image = push("1.0", first, RawImage.tarGzip(4));
    String event =
        """
        {"events":[{"id":"%%d","action":"push","target":{"mediaType":"%s","digest":"%s",
        "repository":"team/app","tag":"1.0","url":"http://evil.example/v2/"},
        "request":{"host":"evil.example"}}]}
        """
            .formatted(MediaTypes.OCI_MANIFEST, image);
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (int i = 0; i < 100; i++) {
        HttpResponse<Void> answer =
            client.send(
                HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + ingest.port() + "/v1/events/main"))
                    .header("Authorization", "Bearer webhook-secret")
                    .header("Content-Type", "application/vnd.docker.distribution.events.v1+json")
                    .POST(HttpRequest.BodyPublishers.ofString(event.formatted(i)))
                    .build(),
                HttpResponse.BodyHandlers.discarding());
        assertThat(answer.statusCode()).isBetween(200, 299);
      }
    }
    awaitIndexed("1.0", image);
    Digest last = push("last", RawImage.tarGzip(5)); // the repository's events are planned in order
    awaitIndexed("last", last);

    assertThat(repository.referrers(image, SociTerms.V1_TYPE)).hasSize(1);
    assertThat(registry.accesses())
        .filteredOn(access -> access.method().equals("PUT") && access.status() == 201)
        .filteredOn(access -> access.path().endsWith("/manifests/1.0-soci"))
        .hasSize(1);
    assertThat(registry.accesses())
        .as("the layer is read once, not once for each announcement")
        .filteredOn(access -> access.method().equals("GET"))
        .filteredOn(access -> access.path().endsWith("/blobs/" + Digest.of(first)))
        .hasSize(1);
    assertThat(repository.tags()).doesNotContain("1.0-soci-soci", "last-soci-soci");
  }
}
