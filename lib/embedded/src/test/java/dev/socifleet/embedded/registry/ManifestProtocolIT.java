package dev.socifleet.embedded.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.socifleet.embedded.registry.RawClient.Answer;
import dev.socifleet.embedded.registry.SmallRegistry.Options;
import dev.socifleet.embedded.registry.SmallRegistry.User;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Manifests, tags, referrers, the catalog, users (distribution specification 1.1). */
class ManifestProtocolIT {
  private static final byte[] NONE = new byte[0];
  private static final byte[] CONFIG = "{}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;
  private SmallRegistry registry;
  private RawClient client;

  @BeforeEach
  void start() throws Exception {
    open(Options.in(directory));
  }

  private void open(Options options) throws Exception {
    registry = SmallRegistry.start(options);
    client = new RawClient(registry);
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  private String image(String more) throws Exception {
    return RawClient.manifest(client.putBlob("a/b", CONFIG), CONFIG.length, more);
  }

  private Answer put(String reference, String json, String... headers) throws Exception {
    List<String> all = new ArrayList<>(List.of(headers));
    if (!all.contains("Content-Type")) {
      all.addAll(List.of("Content-Type", MediaTypes.OCI_MANIFEST));
    }
    return client.send(
        "PUT",
        "/v2/a/b/manifests/" + reference,
        json.getBytes(StandardCharsets.UTF_8),
        all.toArray(String[]::new));
  }

  @Test
  void aManifestIsFoundByTagAndDigest() throws Exception {
    String json = image("");
    Answer stored = put("v1", json).is(201);
    Digest digest = Digest.of(json.getBytes(StandardCharsets.UTF_8));
    assertThat(stored.header("Docker-Content-Digest")).isEqualTo(digest.toString());
    assertThat(stored.header("Location")).isEqualTo("/v2/a/b/manifests/" + digest);
    for (String reference : List.of("v1", digest.toString())) {
      Answer answer = client.get("/v2/a/b/manifests/" + reference).is(200);
      assertThat(answer.header("Content-Type")).isEqualTo(MediaTypes.OCI_MANIFEST);
      assertThat(answer.header("Docker-Content-Digest")).isEqualTo(digest.toString());
      assertThat(answer.body()).asString(StandardCharsets.UTF_8).isEqualTo(json);
      Answer head = client.send("HEAD", "/v2/a/b/manifests/" + reference, NONE).is(200);
      assertThat(head.header("Content-Length")).isEqualTo("" + json.length());
      client.get("/v2/a/b/manifests/" + reference, "If-None-Match", answer.header("ETag")).is(304);
    }
    // A manifest isn't a blob.
    client.get("/v2/a/b/blobs/" + digest).is(404);
    assertThat(client.get("/v2/a/b/manifests/v2").is(404).code()).isEqualTo("MANIFEST_UNKNOWN");
    assertThat(client.get("/v2/a/b/manifests/-v").is(400).code()).isEqualTo("TAG_INVALID");
    assertThat(client.get("/v2/a/b/manifests/sha256:1").is(400).code()).isEqualTo("DIGEST_INVALID");
  }

  @Test
  void aManifestOfAnotherDigestIsRefused() throws Exception {
    Answer refused = put(Digest.of(NONE).toString(), image("")).is(400);
    assertThat(refused.code()).isEqualTo("DIGEST_INVALID");
  }

  @Test
  void aManifestNeedsWhatItNames() throws Exception {
    Digest missing = Digest.of("missing".getBytes(StandardCharsets.UTF_8));
    assertThat(put("v1", RawClient.manifest(missing, 1, "")).is(404).code())
        .isEqualTo("MANIFEST_BLOB_UNKNOWN");
    // Another repository's blob doesn't count.
    client.putBlob("other", "missing".getBytes(StandardCharsets.UTF_8));
    put("v1", RawClient.manifest(missing, 1, "")).is(404);
    String index =
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1}]}"
            .formatted(MediaTypes.OCI_MANIFEST, missing);
    assertThat(put("v1", index, "Content-Type", MediaTypes.OCI_INDEX).is(404).code())
        .isEqualTo("MANIFEST_BLOB_UNKNOWN");
    client.get("/v2/a/b/manifests/v1").is(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "nonsense",
        "{\"schemaVersion\":2}",
        "{\"config\":{\"digest\":\"sha256:../../x\",\"size\":1},\"layers\":[]}",
        "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
      })
  void whatIsNoManifestIsRefused(String text) throws Exception {
    assertThat(put("v1", text).is(400).code()).isEqualTo("MANIFEST_INVALID");
  }

  @Test
  void anUnknownMediaTypeIsRefused() throws Exception {
    Answer refused = put("v1", image(""), "Content-Type", "application/json").is(400);
    assertThat(refused.code()).isEqualTo("MANIFEST_INVALID");
  }

  @Test
  void aManifestIsAtMostFourMebibytes() throws Exception {
    String json = image(",\"annotations\":{\"a\":\"%s\"}");
    int room = (4 << 20) - json.length() + 2;
    put("fits", json.formatted("x".repeat(room))).is(201);
    assertThat(put("v1", json.formatted("x".repeat(room + 1))).is(413).code())
        .isEqualTo("SIZE_INVALID");
  }

  @Test
  void aConditionThatFailsChangesNothing() throws Exception {
    String first = image("");
    String etag = put("v1", first, "If-None-Match", "*").is(201).header("ETag");
    String second = image(",\"annotations\":{\"n\":\"2\"}");
    put("v1", second, "If-None-Match", "*").is(412);
    put("v1", second, "If-Match", "\"sha256:other\"").is(412);
    put("v2", second, "If-Match", "*").is(412);
    assertThat(client.get("/v2/a/b/manifests/v1").header("ETag")).isEqualTo(etag);
    put("v1", second, "If-Match", "\"x\", " + etag).is(201);
    put("v1", first, "If-Match", etag).is(412);
  }

  @Test
  void ofWritersWithTheSameConditionOneWins() throws Exception {
    String etag = put("v1", image("")).is(201).header("ETag");
    List<Callable<Integer>> writers = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      String json = image(",\"annotations\":{\"n\":\"" + i + "\"}");
      writers.add(() -> put("v1", json, "If-Match", etag).status());
    }
    int won = 0;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var outcome : threads.invokeAll(writers)) {
        won += outcome.get() == 201 ? 1 : 0;
      }
    }
    assertThat(won).isEqualTo(1);
  }

  @Test
  void tagsComeInPages() throws Exception {
    String json = image("");
    for (String tag : List.of("b", "a", "C", "d", "c")) {
      put(tag, json).is(201);
    }
    assertThat(client.get("/v2/a/b/tags/list").is(200).json().toString())
        .isEqualTo("{\"name\":\"a/b\",\"tags\":[\"C\",\"a\",\"b\",\"c\",\"d\"]}");
    List<String> pages = new ArrayList<>();
    String next = "/v2/a/b/tags/list?n=2";
    while (!next.isEmpty()) {
      Answer page = client.get(next).is(200);
      pages.add(page.json().path("tags").toString());
      String link = page.header("Link");
      next = link.isEmpty() ? "" : link.substring(1, link.indexOf('>'));
    }
    assertThat(pages).containsExactly("[\"C\",\"a\"]", "[\"b\",\"c\"]", "[\"d\"]");
    assertThat(client.get("/v2/a/b/tags/list?n=0").is(200).json().path("tags")).isEmpty();
    assertThat(client.get("/v2/a/b/tags/list?last=b").is(200).json().path("tags")).hasSize(2);
    client.get("/v2/a/b/tags/list?n=-1").is(400);
    assertThat(client.get("/v2/nobody/tags/list").is(404).code()).isEqualTo("NAME_UNKNOWN");
  }

  @Test
  void theCatalogHoldsWhatHasManifests() throws Exception {
    client.putBlob("only/blobs", CONFIG);
    for (String name : List.of("a", "a/b", "z")) {
      Digest config = client.putBlob(name, CONFIG);
      client.putManifest(name, "v1", RawClient.manifest(config, CONFIG.length, ""));
    }
    assertThat(client.get("/v2/_catalog").is(200).json().path("repositories").toString())
        .isEqualTo("[\"a\",\"a/b\",\"z\"]");
    Answer page = client.get("/v2/_catalog?n=1&last=a").is(200);
    assertThat(page.json().path("repositories").toString()).isEqualTo("[\"a/b\"]");
    assertThat(page.header("Link")).isEqualTo("</v2/_catalog?n=1&last=a%2Fb>; rel=\"next\"");
  }

  private Digest refer(Digest subject, String type, int number) throws Exception {
    String json =
        image(
            ",\"subject\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1}"
                    .formatted(MediaTypes.OCI_MANIFEST, subject)
                + (type.isEmpty() ? "" : ",\"artifactType\":\"" + type + "\"")
                + ",\"annotations\":{\"n\":\""
                + number
                + "\"}");
    Digest digest = Digest.of(json.getBytes(StandardCharsets.UTF_8));
    assertThat(put(digest.toString(), json).is(201).header("OCI-Subject"))
        .isEqualTo(subject.toString());
    return digest;
  }

  @Test
  void referrersAreListed() throws Exception {
    Digest subject = Digest.of("the subject need not be there".getBytes(StandardCharsets.UTF_8));
    String path = "/v2/a/b/referrers/" + subject;
    Answer none = client.get(path).is(200);
    assertThat(none.header("Content-Type")).isEqualTo(MediaTypes.OCI_INDEX);
    assertThat(none.json().path("manifests")).isEmpty();
    Digest typed = refer(subject, "application/x", 1);
    Digest untyped = refer(subject, "", 2);

    JsonNode all = client.get(path).is(200).json().path("manifests");
    assertThat(all.findValuesAsText("digest"))
        .containsExactlyInAnyOrder(typed.toString(), untyped.toString());
    assertThat(all.findValuesAsText("artifactType"))
        .containsExactlyInAnyOrder("application/x", MediaTypes.OCI_CONFIG);
    assertThat(all.findValuesAsText("n")).containsExactlyInAnyOrder("1", "2");
    Answer filtered = client.get(path + "?artifactType=application%2Fx").is(200);
    assertThat(filtered.header("OCI-Filters-Applied")).isEqualTo("artifactType");
    assertThat(filtered.json().path("manifests").findValuesAsText("digest"))
        .containsExactly(typed.toString());

    client.send("DELETE", "/v2/a/b/manifests/" + typed, NONE).is(202);
    assertThat(client.get(path).is(200).json().path("manifests")).hasSize(1);
    client.get("/v2/a/b/referrers/latest").is(400);
  }

  @Test
  void manyReferrersComeInPages() throws Exception {
    Digest subject = Digest.of(CONFIG);
    for (int i = 0; i < 255; i++) {
      refer(subject, "application/x", i);
    }
    Answer first = client.get("/v2/a/b/referrers/" + subject + "?artifactType=application/x");
    assertThat(first.json().path("manifests")).hasSize(250);
    String link = first.header("Link");
    Answer second = client.get(link.substring(1, link.indexOf('>')));
    assertThat(second.json().path("manifests")).hasSize(5);
    assertThat(second.header("Link")).isEmpty();
  }

  @Test
  void withoutTheReferrersApiASubjectIsNotMentioned() throws Exception {
    stop();
    open(Options.in(directory).withReferrersApi(false));
    Digest subject = Digest.of(CONFIG);
    String json =
        image(
            ",\"subject\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":1}"
                .formatted(MediaTypes.OCI_MANIFEST, subject));
    assertThat(put("v1", json).is(201).header("OCI-Subject")).isEmpty();
    client.get("/v2/a/b/referrers/" + subject).is(404);
  }

  @Test
  void aDeletedTagLeavesTheManifest() throws Exception {
    String json = image("");
    Digest digest = Digest.of(json.getBytes(StandardCharsets.UTF_8));
    put("v1", json).is(201);
    put("v2", json).is(201);
    client.send("DELETE", "/v2/a/b/manifests/v1", NONE).is(202);
    client.send("DELETE", "/v2/a/b/manifests/v1", NONE).is(404);
    client.get("/v2/a/b/manifests/" + digest).is(200);
    client.send("DELETE", "/v2/a/b/manifests/" + digest, NONE).is(202);
    client.get("/v2/a/b/manifests/v2").is(404);
    assertThat(client.get("/v2/a/b/tags/list").is(200).json().path("tags")).isEmpty();
  }

  @Test
  void usersDoWhatTheyMay() throws Exception {
    stop();
    open(
        Options.in(directory)
            .withUsers(
                List.of(
                    User.of("admin", "secret"),
                    new User("reader", "pass", List.of("a/*"), List.of()))));
    String admin = basic("admin:secret");
    String reader = basic("reader:pass");
    Answer nobody = client.get("/v2/").is(401);
    assertThat(nobody.header("WWW-Authenticate")).startsWith("Basic realm=");
    client.get("/v2/", "Authorization", basic("admin:wrong")).is(401);
    client.get("/v2/", "Authorization", reader).is(200);
    String upload = "/v2/a/b/blobs/uploads/?digest=" + Digest.of(CONFIG);
    assertThat(client.send("POST", upload, CONFIG, "Authorization", reader).is(403).code())
        .isEqualTo("DENIED");
    client.send("POST", upload, CONFIG, "Authorization", admin).is(201);
    client.get("/v2/a/b/blobs/" + Digest.of(CONFIG), "Authorization", reader).is(200);
    client.get("/v2/c/blobs/" + Digest.of(CONFIG), "Authorization", reader).is(403);
    // A mount needs the right to pull from its source.
    client
        .send(
            "POST",
            "/v2/c/blobs/uploads/?mount=" + Digest.of(CONFIG) + "&from=a/b",
            NONE,
            "Authorization",
            reader)
        .is(403);
  }

  private static String basic(String user) {
    return "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
  }
}
