package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Registries with certificates of an authority of one's own, as hosts.toml describes them. */
class TlsIT {
  @TempDir static Path made;
  private static TestCertificates certificates;
  @TempDir Path hosts;
  private StrictRegistry registry;
  private HttpRegistries client;
  private Digest blob;

  @BeforeAll
  static void makeCertificates() throws Exception {
    certificates = TestCertificates.make(made);
  }

  @BeforeEach
  void start() throws Exception {
    start(false);
  }

  private void start(boolean clientCertificate) throws Exception {
    if (registry != null) {
      close();
    }
    registry = new StrictRegistry(certificates.server(), clientCertificate);
    blob = registry.addBlob("team/app", "a blob".getBytes(StandardCharsets.UTF_8));
    RegistryHost host =
        new RegistryHost(
            registry.server().host(), URI.create(registry.server().url()), List.of("*"), false);
    client =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(host),
                Credentials.NONE,
                RegistryFixture.AGENT,
                Timeouts.STANDARD,
                new HostsDirectory(List.of(hosts))));
  }

  @AfterEach
  void close() {
    client.close();
    registry.close();
    assertThat(registry.server().failures()).isEmpty();
  }

  private Path directory() throws IOException {
    return Files.createDirectories(hosts.resolve("127.0.0.1_" + registry.server().port() + "_"));
  }

  private void hostsToml(String text) throws IOException {
    Files.writeString(directory().resolve("hosts.toml"), text);
  }

  private void ask() throws RegistryException {
    assertThat(client.repository(registry.repository("team/app")).blobSize(blob)).hasValue(6);
  }

  @Test
  void anAuthorityThatNobodyKnowsIsNotTrusted() {
    assertThatThrownBy(this::ask)
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("certificat");
  }

  @Test
  void anAuthorityOfOnesOwnIsTrusted() throws Exception {
    hostsToml("ca = \"" + certificates.file("ca.pem") + "\"\n");

    ask();
  }

  @Test
  void filesAreFoundBesideHostsToml() throws Exception {
    hostsToml("ca = [\"own.pem\"]\n");
    Files.copy(certificates.file("ca.pem"), directory().resolve("own.pem"));

    ask();
  }

  @Test
  void certificatesAsDockerHasThemAreTaken() throws Exception {
    start(true);
    Path directory = Files.createDirectories(hosts.resolve(registry.server().host()));
    Files.copy(certificates.file("ca.pem"), directory.resolve("ca.crt"));
    Files.copy(certificates.file("client.pem"), directory.resolve("client.cert"));
    Files.copy(certificates.file("client.key"), directory.resolve("client.key"));

    ask();

    assertThat(registry.server().calls().getFirst().client()).isEqualTo("CN=client");
  }

  @Test
  void aClientShowsItsCertificate() throws Exception {
    start(true);
    hostsToml(
        "ca = \"%s\"\nclient = [[\"%s\", \"%s\"]]\n"
            .formatted(
                certificates.file("ca.pem"),
                certificates.file("client.pem"),
                certificates.file("client.key")));

    ask();

    assertThat(registry.server().calls().getFirst().client()).isEqualTo("CN=client");
  }

  @Test
  void aCertificateAndItsKeyMayBeOneFile() throws Exception {
    start(true);
    Path both = directory().resolve("both.pem");
    Files.writeString(
        both,
        Files.readString(certificates.file("client.key"))
            + Files.readString(certificates.file("client.pem")));
    hostsToml("ca = \"%s\"\nclient = \"both.pem\"\n".formatted(certificates.file("ca.pem")));

    ask();
  }

  @Test
  void withoutACertificateAClientIsTurnedAway() throws Exception {
    start(true);
    hostsToml("ca = \"" + certificates.file("ca.pem") + "\"\n");

    assertThatThrownBy(this::ask).isInstanceOf(RegistryException.class);
    assertThat(registry.server().calls()).isEmpty();
  }

  @Test
  void verificationIsSkippedWhereTheOperatorSaysSo() throws Exception {
    hostsToml("skip_verify = true\n");

    ask();
  }

  @Test
  void aRenewedFileTakesEffectAtOnce() throws Exception {
    Path own = directory().resolve("own.pem");
    Files.copy(certificates.file("server.pem"), own); // isn't the authority's
    Files.writeString(own, Files.readString(certificates.file("client.pem")));
    hostsToml("ca = \"own.pem\"\n");
    assertThatThrownBy(this::ask).isInstanceOf(RegistryException.class);

    Files.writeString(
        own,
        Files.readString(certificates.file("client.pem"))
            + Files.readString(certificates.file("ca.pem")));

    ask();
  }

  @Test
  void aRepositoryThatIsOpenOutlivesARenewal() throws Exception {
    Path own = directory().resolve("own.pem");
    Files.copy(certificates.file("ca.pem"), own);
    hostsToml("ca = \"own.pem\"\n");
    Repository open = client.repository(registry.repository("team/app"));
    assertThat(open.blobSize(blob)).hasValue(6);

    Files.writeString(own, "\n", StandardOpenOption.APPEND);
    ask();

    assertThat(open.blobSize(blob)).hasValue(6);
  }

  @Test
  void brokenFilesAreNamed() throws Exception {
    Path empty = directory().resolve("empty.pem");
    Files.writeString(empty, "nothing\n");
    Path encrypted = directory().resolve("encrypted.key");
    Files.writeString(encrypted, TestCertificates.pem("ENCRYPTED PRIVATE KEY", new byte[9]));
    Path garbage = directory().resolve("garbage.key");
    Files.writeString(garbage, TestCertificates.pem("EC PRIVATE KEY", new byte[] {0x30, 9, 1}));

    hostsToml("ca = \"missing.pem\"\n");
    assertThatThrownBy(this::ask).hasMessageContaining("missing.pem");
    hostsToml("ca = \"empty.pem\"\n");
    assertThatThrownBy(this::ask).hasMessageContaining("empty.pem: no certificate in it");
    for (String key : List.of("encrypted.key", "garbage.key", "empty.pem")) {
      hostsToml("client = [[\"%s\", \"%s\"]]\n".formatted(certificates.file("client.pem"), key));
      assertThatThrownBy(this::ask).isInstanceOf(RegistryException.class).hasMessageContaining(key);
    }
  }
}
