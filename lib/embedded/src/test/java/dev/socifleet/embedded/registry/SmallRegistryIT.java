package dev.socifleet.embedded.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
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
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
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
      repository.putReferrer(java.util.Objects.requireNonNull(subject).digest(), blob);
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

  @Test
  void pushesAreTold() throws Exception {
    BlockingQueue<String> bodies = new LinkedBlockingQueue<>();
    HttpServer receiver =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/",
        exchange -> {
          boolean allowed =
              "Bearer secret".equals(exchange.getRequestHeaders().getFirst("Authorization"));
          bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          // The first attempt fails: it must come again.
          exchange.sendResponseHeaders(allowed && bodies.size() > 1 ? 202 : 503, -1);
          exchange.close();
        });
    receiver.start();
    try {
      registry.notify(
          new Notifications(
              URI.create("http://127.0.0.1:" + receiver.getAddress().getPort() + "/events"),
              "Bearer secret"));
      ManifestBlob image = push("1.2", random(1_000, 3), null);
      String first = bodies.poll(20, TimeUnit.SECONDS);
      assertThat(bodies.poll(20, TimeUnit.SECONDS)).isEqualTo(first);
      assertThat(first)
          .contains("\"action\":\"push\"")
          .contains("\"tag\":\"1.2\"")
          .contains("\"repository\":\"team/app\"")
          .contains("\"digest\":\"" + image.digest() + "\"");
    } finally {
      receiver.stop(0);
    }
  }
}
