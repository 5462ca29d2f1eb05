package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * A strict registry and a client of it; what each test class begins with. The client's time-outs
 * are the standard ones: on a busy machine a short one would end what is only slow, and a test that
 * counts requests would see one more.
 */
abstract class RegistryFixture {
  static final String AGENT = "strict-test/1";

  StrictRegistry registry;
  HttpRegistries client;
  Repository repository;

  @BeforeEach
  void open() throws Exception {
    registry = new StrictRegistry();
    client = client(Credentials.NONE);
    repository = client.repository(registry.repository("team/app"));
  }

  @AfterEach
  void close() {
    client.close();
    registry.close();
    assertThat(registry.server().failures()).isEmpty();
    assertThat(registry.server().calls())
        .allMatch(call -> call.header("User-Agent").orElse("").equals(AGENT));
  }

  /** Another client, as of another process. */
  HttpRegistries client(Credentials credentials) {
    return client(credentials, Timeouts.STANDARD);
  }

  private HttpRegistries client(Credentials credentials, Timeouts timeouts) {
    return HttpRegistries.open(
        new RegistriesConfig(
            List.of(RegistryHost.of(registry.server().host())),
            credentials,
            AGENT,
            timeouts,
            HostsDirectory.NONE));
  }

  /**
   * The client from now on: one that waits so long for the head of an answer, and for the next byte
   * of a body.
   */
  void use(Duration answer, Duration stall) throws RegistryException {
    client.close();
    client =
        client(
            Credentials.NONE,
            new Timeouts(
                answer, Timeouts.STANDARD.upload(), stall, Timeouts.STANDARD.longestWait()));
    repository = client.repository(registry.repository("team/app"));
  }

  /** The client from now on. */
  void use(Credential credential) throws RegistryException {
    client.close();
    client = client(_ -> credential);
    repository = client.repository(registry.repository("team/app"));
  }

  static byte[] random(int size, long seed) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A manifest whose blobs are in the registry; its layer is its number. */
  ManifestBlob image(int number, @Nullable Descriptor subject) {
    byte[] config = utf8("{}");
    byte[] layer = utf8("layer " + number);
    registry.addBlob("team/app", config);
    registry.addBlob("team/app", layer);
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                subject == null ? "" : "application/vnd.test.sbom",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, Digest.of(layer), layer.length)),
                subject,
                Map.of("number", "" + number)));
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
  }

  static Descriptor descriptor(ManifestBlob blob) {
    return Descriptor.of(blob.mediaType(), blob.digest(), blob.bytes().length);
  }
}
