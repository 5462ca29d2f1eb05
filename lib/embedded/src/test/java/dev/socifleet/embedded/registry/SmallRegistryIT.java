package dev.socifleet.embedded.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import dev.socifleet.embedded.registry.SmallRegistry.Access;
import dev.socifleet.embedded.registry.SmallRegistry.Notifications;
import dev.socifleet.embedded.registry.SmallRegistry.Options;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The registry as the pipeline's own client uses it. */
class SmallRegistryIT {
  @TempDir Path directory;
  private SmallRegistry registry;
  private HttpRegistries client;
  private Repository repository;

  @BeforeEach
  void start() throws Exception {
    open(Options.in(directory));
  }

  private void open(Options options) throws Exception {
    registry = SmallRegistry.start(options);
    client =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(RegistryHost.of(registry.host())), Credentials.NONE, "test-client/1"));
    repository = client.repository(new RepositoryName(registry.host(), "team/app"));
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  private ManifestBlob push(String tag, byte[] layer, @Nullable Descriptor subject)
      throws Exception {
    byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
    repository.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    repository.putBlob(Digest.of(layer), layer.length, BlobContent.of(layer));
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                subject == null ? "" : "application/vnd.test",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(layer), layer.length)),
                subject,
                Map.of()));
    ManifestBlob blob = new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
    if (tag.isEmpty()) {
      repository.putReferrer(Objects.requireNonNull(subject).digest(), blob);
    } else {
      repository.putManifest(tag, MediaTypes.OCI_MANIFEST, bytes);
    }
    return blob;
  }

  private static byte[] random(int size, long seed) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatIsPushedIsPulled() throws Exception {
    byte[] layer = random(40 << 20, 1);
    ManifestBlob pushed = push("1.0", layer, null);

    assertThat(repository.headManifest("1.0").orElseThrow().digest()).isEqualTo(pushed.digest());
    assertThat(repository.manifest(pushed.digest().toString()).orElseThrow().bytes())
        .isEqualTo(pushed.bytes());
    try (InputStream blob = repository.openBlob(Digest.of(layer))) {
      assertThat(blob.readAllBytes()).isEqualTo(layer);
    }
    try (InputStream blob = repository.openBlob(Digest.of(layer), new ByteRange(5_000, 9_000))) {
      assertThat(blob.readAllBytes()).hasSize(4_000).startsWith(layer[5_000], layer[5_001]);
    }
    assertThat(repository.tags()).containsExactly("1.0");
    assertThat(registry.bytesServed("test-client/")).isEqualTo(layer.length + 4_000L);
    assertThat(registry.bytesServed("other")).isZero();
  }

  @Test
  void whatIsPushedIsThereAfterARestart() throws Exception {
    byte[] layer = random(100_000, 2);
    ManifestBlob image = push("latest", layer, null);
    push("", layer, Descriptor.of(image.mediaType(), image.digest(), image.bytes().length));
    stop();
    start();

    assertThat(repository.headManifest("latest").orElseThrow().digest()).isEqualTo(image.digest());
    assertThat(repository.referrers(image.digest(), "application/vnd.test")).hasSize(1);
    assertThat(repository.blobSize(Digest.of(layer))).hasValue(layer.length);
  }

  /** A receiver of events that refuses the first ones it gets. */
  private static final class Receiver implements AutoCloseable {
    final BlockingQueue<String> bodies = new LinkedBlockingQueue<>();
    private final HttpServer server;

    Receiver(int refused) throws Exception {
      AtomicInteger left = new AtomicInteger(refused);
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/",
          exchange -> {
            boolean allowed =
                "Bearer secret".equals(exchange.getRequestHeaders().getFirst("Authorization"))
                    && left.getAndDecrement() <= 0;
            bodies.add(
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(allowed ? 202 : 503, -1);
            exchange.close();
          });
      server.start();
    }

    Notifications address() {
      return new Notifications(
          URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/events"),
          "Bearer secret");
    }

    JsonNode next() throws Exception {
      String body = bodies.poll(120, TimeUnit.SECONDS);
      assertThat(body).as("an event").isNotNull();
      return new JsonMapper().readTree(body).path("events").path(0);
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  @Test
  void pushesAndDeletionsAreTold() throws Exception {
    try (Receiver receiver = new Receiver(2)) {
      registry.notify(receiver.address());
      ManifestBlob image = push("1.2", random(1_000, 3), null);
      JsonNode first = receiver.next();
      // Refused twice, so the same event comes three times.
      assertThat(receiver.next()).isEqualTo(first);
      assertThat(receiver.next()).isEqualTo(first);
      assertThat(first.path("action").asText()).isEqualTo("push");
      JsonNode target = first.path("target");
      assertThat(target.path("mediaType").asText()).isEqualTo(MediaTypes.OCI_MANIFEST);
      assertThat(target.path("digest").asText()).isEqualTo(image.digest().toString());
      assertThat(target.path("size").asLong()).isEqualTo(image.bytes().length);
      assertThat(target.path("repository").asText()).isEqualTo("team/app");
      assertThat(target.path("tag").asText()).isEqualTo("1.2");
      assertThat(target.path("url").asText())
          .isEqualTo("http://" + registry.host() + "/v2/team/app/manifests/" + image.digest());
      assertThat(first.path("request").path("host").asText()).isEqualTo(registry.host());
      assertThat(first.path("request").path("useragent").asText()).isEqualTo("test-client/1");

      repository.deleteManifest(image.digest().toString());
      JsonNode deletion = receiver.next();
      assertThat(deletion.path("action").asText()).isEqualTo("delete");
      assertThat(deletion.path("target").path("digest").asText())
          .isEqualTo(image.digest().toString());
      assertThat(receiver.bodies).isEmpty();
    }
  }

  @Test
  void anEventThatNobodyTookIsToldAfterARestart() throws Exception {
    Receiver gone = new Receiver(0);
    gone.close();
    registry.notify(gone.address());
    push("one", random(1_000, 4), null);
    push("two", random(1_000, 4), null);
    stop();
    try (Receiver receiver = new Receiver(0)) {
      open(Options.in(directory).withNotifications(receiver.address()));
      push("three", random(1_000, 4), null);
      for (String tag : List.of("one", "two", "three")) {
        assertThat(receiver.next().path("target").path("tag").asText()).isEqualTo(tag);
      }
    }
  }

  @Test
  void aCopyOfItsDirectoryTakenAtAnyMomentIsWhole() throws Exception {
    // What a kill leaves is what the directory holds at that moment.
    Path copy = Files.createDirectory(directory.resolve("copy"));
    byte[] layer = random(300_000, 5);
    ManifestBlob image = push("v1", layer, null);
    for (String child : List.of("content", "repositories", "partial", "uploads")) {
      copyTree(directory.resolve(child), copy.resolve(child));
    }
    Files.writeString(copy.resolve("partial").resolve("half"), "half of a file");
    stop();
    open(Options.in(copy));
    assertThat(repository.headManifest("v1").orElseThrow().digest()).isEqualTo(image.digest());
    try (InputStream blob = repository.openBlob(Digest.of(layer))) {
      assertThat(blob.readAllBytes()).isEqualTo(layer);
    }
    assertThat(copy.resolve("partial")).isEmptyDirectory();
  }

  private static void copyTree(Path from, Path to) throws Exception {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  @Test
  void aDirectoryIsOneRegistrys() {
    assertThatThrownBy(() -> SmallRegistry.start(Options.in(directory)))
        .hasMessageContaining("another one runs on this directory");
  }

  @Test
  void aPortThatIsTakenIsSaid() {
    Path other = directory.resolve("other");
    assertThatThrownBy(() -> SmallRegistry.start(Options.in(other).withPort(registry.port())))
        .hasMessageContaining("cannot listen on")
        .hasMessageContaining(":" + registry.port());
    // What the failed start held is free again.
    assertThatNoException().isThrownBy(() -> SmallRegistry.start(Options.in(other)).close());
  }

  @Test
  void accessesAreRemembered() throws Exception {
    byte[] layer = random(1_000, 6);
    push("v1", layer, null);
    try (InputStream range = repository.openBlob(Digest.of(layer), new ByteRange(10, 20))) {
      assertThat(range.readAllBytes()).hasSize(10);
    }
    Access last = registry.accesses().getLast();
    assertThat(last.path()).isEqualTo("/v2/team/app/blobs/" + Digest.of(layer));
    assertThat(last.range()).hasValue("bytes=10-19");
    assertThat(last.status()).isEqualTo(206);
    assertThat(last.bytes()).isEqualTo(10);
    assertThat(last.userAgent()).isEqualTo("test-client/1");
  }

  @Test
  void skopeoPushesAndPulls() throws Exception {
    boolean there = Files.isExecutable(Path.of("/usr/bin/skopeo"));
    assertThat(there || !"true".equals(System.getenv("CI"))).as("skopeo under CI").isTrue();
    assumeTrue(there, "skopeo isn't installed");
    ByteArrayOutputStream layer = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(layer)) {
      gzip.write(random(20 << 20, 7));
    }
    push("v1", layer.toByteArray(), null);
    String from = "docker://" + registry.host() + "/team/app:v1";
    Path layout = directory.resolve("layout");
    run("skopeo", "copy", "-q", "--src-tls-verify=false", from, "oci:" + layout + ":v1");
    run(
        "skopeo",
        "copy",
        "-q",
        "--dest-tls-verify=false",
        "oci:" + layout + ":v1",
        "docker://" + registry.host() + "/copied/app:v2");
    Repository copied = client.repository(new RepositoryName(registry.host(), "copied/app"));
    assertThat(copied.headManifest("v2")).isEqualTo(repository.headManifest("v1"));
  }

  private void run(String... command) throws Exception {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(300, TimeUnit.SECONDS)).as("ends").isTrue();
    assertThat(process.exitValue()).as(() -> read(output)).isZero();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
