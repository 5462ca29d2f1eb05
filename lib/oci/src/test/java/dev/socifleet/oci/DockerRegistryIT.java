package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/** The client and the registry that most people run. */
class DockerRegistryIT {
  private static final int PAIRS = 4;
  private static final int ROUNDS = 50;
  @TempDir Path directory;
  @TempDir Path hosts;
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void installed() {
    RealRegistry.assumeInstalled();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private RealRegistry start(String http, String more) throws Exception {
    return start(directory, http, more);
  }

  private RealRegistry start(Path place, String http, String more) throws Exception {
    RealRegistry registry = RealRegistry.start(place, http, more);
    open.add(registry);
    return registry;
  }

  private Repository repository(RealRegistry registry, String scheme, Credential credential)
      throws RegistryException {
    HttpRegistries client =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(
                    new RegistryHost(
                        registry.host,
                        URI.create(scheme + "://" + registry.host),
                        List.of("*"),
                        false)),
                _ -> credential,
                RegistryFixture.AGENT,
                Timeouts.STANDARD,
                new HostsDirectory(List.of(hosts))));
    open.add(client);
    return client.repository(new RepositoryName(registry.host, "team/app"));
  }

  private Repository plain() throws Exception {
    return repository(start("", ""), "http", new Credential.Anonymous());
  }

  private static void put(Repository repository, byte[] blob) throws RegistryException {
    repository.putBlob(Digest.of(blob), blob.length, BlobContent.of(blob));
  }

  private static ManifestBlob manifest(byte[] layer, @Nullable Descriptor subject) {
    byte[] config = RegistryFixture.utf8("{}");
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, Digest.of(layer), layer.length)),
                subject,
                Map.of("layer", new String(layer, StandardCharsets.UTF_8))));
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
  }

  private static ManifestBlob pushImage(Repository repository) throws RegistryException {
    return pushImage(repository, "v1");
  }

  private static ManifestBlob pushImage(Repository repository, String content)
      throws RegistryException {
    byte[] layer = RegistryFixture.utf8(content);
    put(repository, RegistryFixture.utf8("{}"));
    put(repository, layer);
    byte[] bytes =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(RegistryFixture.utf8("{}")), 2),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, Digest.of(layer), layer.length)),
                null,
                Map.of()));
    repository.putManifest(content.replace(' ', '-'), MediaTypes.OCI_MANIFEST, bytes);
    return new ManifestBlob(MediaTypes.OCI_MANIFEST, Digest.of(bytes), bytes);
  }

  @Test
  void blobsGoInChunksAndComeWholeAndByRange() throws Exception {
    Repository repository = plain();
    byte[] large = RegistryFixture.random(50 << 20, 11);
    Digest blob = Digest.of(large);

    put(repository, large);
    put(repository, new byte[0]);

    assertThat(repository.blobSize(blob)).hasValue(large.length);
    try (InputStream in = repository.openBlob(blob)) {
      assertThat(in.readAllBytes()).isEqualTo(large);
    }
    try (InputStream in = repository.openBlob(blob, new ByteRange(20_000_000, 20_100_000))) {
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(large, 20_000_000, 20_100_000));
    }
    assertThat(repository.blobSize(Digest.of(new byte[] {1}))).isEmpty();
  }

  @Test
  void connectionsThatBreakInTheMiddleHurtNoBlob() throws Exception {
    RealRegistry registry = start("", "");
    byte[] large = RegistryFixture.random(40 << 20, 13);
    for (long after : new long[] {5_000_000, 20_000_000}) {
      try (CuttingProxy proxy = new CuttingProxy(registry.host, 3, after);
          HttpRegistries client =
              HttpRegistries.open(
                  new RegistriesConfig(
                      List.of(RegistryHost.of(proxy.host())),
                      Credentials.NONE,
                      RegistryFixture.AGENT,
                      Timeouts.STANDARD,
                      HostsDirectory.NONE))) {
        Repository repository =
            client.repository(new RepositoryName(proxy.host(), "cut/after" + after));

        put(repository, large);
        try (InputStream in = repository.openBlob(Digest.of(large))) {
          assertThat(in.readAllBytes()).isEqualTo(large);
        }

        assertThat(proxy.cutsLeft()).isZero();
      }
    }
  }

  @Test
  void imagesAreStoredFoundListedAndDeleted() throws Exception {
    Repository repository = plain();
    ManifestBlob image = pushImage(repository);

    assertThat(repository.manifest("v1").orElseThrow().bytes()).isEqualTo(image.bytes());
    assertThat(repository.headManifest(image.digest().toString()))
        .hasValue(RegistryFixture.descriptor(image));
    assertThat(repository.tags()).containsExactly("v1");
    assertThat(repository.manifest("v2")).isEmpty();
    assertThat(repository.deleteManifest(image.digest().toString())).isTrue();
    assertThat(repository.manifest("v1")).isEmpty();
  }

  @Test
  void aManifestWhoseBlobsAreMissingIsRefused() throws Exception {
    Repository repository = plain();
    ManifestBlob image = manifest(RegistryFixture.utf8("never pushed"), null);

    assertThatThrownBy(() -> repository.putManifest("v1", image.mediaType(), image.bytes()))
        .isInstanceOfSatisfying(
            RegistryException.class, e -> assertThat(e.codes()).contains("MANIFEST_BLOB_UNKNOWN"));
  }

  @Test
  void blobsAreTakenOverFromAnotherRepository() throws Exception {
    RealRegistry registry = start("", "");
    Repository repository = repository(registry, "http", new Credential.Anonymous());
    byte[] blob = RegistryFixture.random(100_000, 12);
    put(repository, blob);
    HttpRegistries client = (HttpRegistries) open.getLast();
    Repository other = client.repository(new RepositoryName(registry.host, "team/other"));

    assertThat(other.blobSize(Digest.of(blob))).isEmpty();
    assertThat(other.mountBlob(Digest.of(blob), repository.name())).isTrue();
    assertThat(other.blobSize(Digest.of(blob))).hasValue(blob.length);
    assertThat(other.mountBlob(Digest.of(new byte[] {2}), repository.name())).isFalse();
  }

  @Test
  void aPasswordOpensIt() throws Exception {
    Path users = directory.resolve("htpasswd");
    Process htpasswd =
        new ProcessBuilder("htpasswd", "-Bbn", "fleet", "pass")
            .redirectOutput(users.toFile())
            .start();
    assertThat(htpasswd.waitFor()).isZero();
    RealRegistry registry = start("", "auth: {htpasswd: {realm: test, path: %s}}".formatted(users));

    pushImage(repository(registry, "http", new Credential.Basic("fleet", "pass")));

    Repository stranger = repository(registry, "http", new Credential.Basic("fleet", "wrong"));
    assertThatThrownBy(() -> stranger.manifest("v1"))
        .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.denied()).isTrue());
  }

  @Test
  void itsOwnAuthorityAndAClientCertificateOpenIt() throws Exception {
    TestCertificates certificates = TestCertificates.make(directory);
    RealRegistry registry =
        start(
            ", tls: {certificate: %s, key: %s, clientcas: [%s]}"
                .formatted(
                    certificates.file("server.pem"),
                    certificates.file("server.key"),
                    certificates.file("ca.pem")),
            "");
    Path own = Files.createDirectories(hosts.resolve(registry.host));
    Files.writeString(
        own.resolve("hosts.toml"),
        "ca = \"%s\"\nclient = [[\"%s\", \"%s\"]]\n"
            .formatted(
                certificates.file("ca.pem"),
                certificates.file("client.pem"),
                certificates.file("client.key")));

    Repository repository = repository(registry, "https", new Credential.Anonymous());

    ManifestBlob image = pushImage(repository);
    assertThat(repository.headManifest("v1").orElseThrow().digest()).isEqualTo(image.digest());
  }

  /**
   * A directory in memory, where that can be: how long a write to a disk takes may vary by more
   * than the time for which a writer waits whether it is overwritten.
   */
  private static final class InMemory implements TempDirFactory {
    private static final Path MEMORY = Path.of("/dev/shm");

    @Override
    public Path createTempDirectory(AnnotatedElementContext of, ExtensionContext in)
        throws IOException {
      return Files.isWritable(MEMORY)
          ? Files.createTempDirectory(MEMORY, "soci-pushers")
          : Files.createTempDirectory("soci-pushers");
    }
  }

  /** Clients that share nothing, as processes do, two on each of four fallback tags. */
  @Test
  @Timeout(1800)
  void twoPushersOnOneFallbackTagLoseNothing(@TempDir(factory = InMemory.class) Path memory)
      throws Exception {
    RealRegistry registry = start(memory, "", "");
    List<Future<?>> pairs = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int pair = 0; pair < PAIRS; pair++) {
        ManifestBlob image =
            pushImage(repository(registry, "http", new Credential.Anonymous()), "image " + pair);
        CyclicBarrier together = new CyclicBarrier(2);
        for (int pusher = 0; pusher < 2; pusher++) {
          Repository own = repository(registry, "http", new Credential.Anonymous());
          String name = "pusher " + pusher + " of pair " + pair;
          pairs.add(threads.submit(() -> pushMany(own, image, name, together)));
        }
      }
      for (Future<?> each : pairs) {
        each.get();
      }
    }
  }

  /** In each round both push, and then both must see what both have pushed. */
  private static boolean pushMany(
      Repository repository, ManifestBlob image, String name, CyclicBarrier together)
      throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      byte[] layer = RegistryFixture.utf8("round " + round + " of " + name);
      put(repository, layer);
      ManifestBlob referrer = manifest(layer, RegistryFixture.descriptor(image));
      together.await();
      repository.putReferrer(image.digest(), referrer);
      together.await();
      assertThat(repository.referrers(image.digest(), null))
          .as("%s in round %d", name, round)
          .hasSize(2 * (round + 1))
          .extracting(Descriptor::digest)
          .contains(referrer.digest())
          .doesNotHaveDuplicates();
      together.await();
    }
    return true;
  }
}
