package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.Endpoint.Capability;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostsDirectoryTest {
  @TempDir Path root;

  private List<Endpoint> of(String host) throws RegistryException {
    return of(RegistryHost.of(host));
  }

  private List<Endpoint> of(RegistryHost host) throws RegistryException {
    return new HostsDirectory(List.of(root.resolve("missing"), root)).endpoints(host);
  }

  private void file(String directory, String toml) throws IOException {
    Files.createDirectories(root.resolve(directory));
    Files.writeString(root.resolve(directory).resolve("hosts.toml"), toml);
  }

  private static List<String> addresses(List<Endpoint> endpoints) {
    return endpoints.stream().map(endpoint -> endpoint.base().toString()).toList();
  }

  @Test
  void withoutADirectoryTheRegistryIsWhereItsNameSays() throws Exception {
    assertThat(addresses(of("reg.example:5000"))).containsExactly("https://reg.example:5000/v2");
    assertThat(addresses(of("docker.io"))).containsExactly("https://registry-1.docker.io/v2");
  }

  @Test
  void mirrorsComeInTheirOrderAndTheRegistryLast() throws Exception {
    file(
        "docker.io",
        """
        server = "https://registry-1.docker.io"

        [host."https://z.example"]
          capabilities = ["pull", "resolve"]
        [host."http://10.0.0.1:5000"]
          capabilities = ["pull", "dance"]
          dial_timeout = "500ms"
          [host."http://10.0.0.1:5000".header]
            X-Fleet = ["a", "b"]
        [host."a.example/base/"]
        [host."https://b.example/proxy/v2"]
        [host."https://c.example/v2/cache"]
          override_path = true
        """);

    List<Endpoint> all = of("docker.io");

    assertThat(addresses(all))
        .containsExactly(
            "https://z.example/v2",
            "http://10.0.0.1:5000/v2",
            "https://a.example/base/v2",
            "https://b.example/proxy/v2",
            "https://c.example/v2/cache",
            "https://registry-1.docker.io/v2");
    assertThat(all.get(0).capabilities()).containsOnly(Capability.PULL, Capability.RESOLVE);
    assertThat(all.get(1).capabilities()).containsOnly(Capability.PULL);
    assertThat(all.get(1).headers()).isEqualTo(Map.of("X-Fleet", "a, b"));
    assertThat(all.get(1).tls().connectTimeout()).isEqualTo(Duration.ofMillis(500));
    assertThat(all.get(2).capabilities()).hasSize(3);
    assertThat(all)
        .extracting(Endpoint::isMirror)
        .containsExactly(true, true, true, true, true, false);
    assertThat(all.getFirst().mirrorOf()).isEqualTo("docker.io");
  }

  @Test
  void theServerIsTheRegistry() throws Exception {
    file("reg.example", "server = \"http://10.0.0.9:5000\"\n");

    assertThat(addresses(of("reg.example"))).containsExactly("http://10.0.0.9:5000/v2");
  }

  @Test
  void anAddressOfOurOwnConfigurationIsTheRegistry() throws Exception {
    file("reg.example", "server = \"http://10.0.0.9:5000\"\n[host.\"https://m.example\"]\n");
    RegistryHost own =
        new RegistryHost("reg.example", URI.create("http://10.0.0.7"), List.of("*"), false);

    assertThat(addresses(of(own))).containsExactly("https://m.example/v2", "http://10.0.0.7/v2");
  }

  @Test
  void aPortIsWrittenInEitherWay() throws Exception {
    file("reg.example:5000", "server = \"https://colon.example\"\n");
    assertThat(addresses(of("reg.example:5000"))).containsExactly("https://colon.example/v2");

    file("reg.example_5000_", "server = \"https://underscore.example\"\n");
    assertThat(addresses(of("reg.example:5000"))).containsExactly("https://underscore.example/v2");
  }

  @Test
  void whoHasNoDirectoryGetsTheDefault() throws Exception {
    file("_default", "[host.\"https://mirror.example\"]\n");
    file("reg.example", "");

    assertThat(addresses(of("other.example")))
        .containsExactly("https://mirror.example/v2", "https://other.example/v2");
    assertThat(addresses(of("reg.example"))).containsExactly("https://reg.example/v2");
  }

  @Test
  void whatIsAskedTakesThePlaceOfWhatIsDescribedForTheRegistryOnly() throws Exception {
    file(
        "reg.example",
        """
        ca = "theirs.pem"
        client = "ours.pem"
        dial_timeout = "7s"
        [host."https://mirror.example"]
          ca = "mirror.pem"
        """);
    HostsDirectory asked =
        new HostsDirectory(List.of(root))
            .withTls(
                List.of(Path.of("/asked.pem")), Optional.empty(), Optional.of(Path.of("/k")), true);

    List<Endpoint> endpoints = asked.endpoints(RegistryHost.of("reg.example"));

    Path described = root.resolve("reg.example");
    assertThat(endpoints.getFirst().tls().authorities())
        .containsExactly(described.resolve("mirror.pem"));
    assertThat(endpoints.getFirst().tls().trustAnybody()).isFalse();
    Tls registry = endpoints.getLast().tls();
    assertThat(registry.authorities()).containsExactly(Path.of("/asked.pem"));
    assertThat(registry.identities())
        .containsExactly(
            new Tls.Identity(described.resolve("ours.pem"), described.resolve("ours.pem")));
    assertThat(registry.trustAnybody()).isTrue();
    assertThat(registry.connectTimeout()).isEqualTo(Duration.ofSeconds(7));
  }

  @Test
  void brokenFilesAreRefusedByName() throws Exception {
    for (String toml :
        List.of(
            "server = ",
            "server = \"ftp://a.example\"",
            "server = \"http://\"",
            "[host.\"a b\"]",
            "ca = 7",
            "ca = [\"\"]",
            "client = [[]]",
            "dial_timeout = \"soon\"",
            "dial_timeout = \"0s\"",
            "[header]\nAuthorization = \"Basic x\"",
            "[header]\n\"a b\" = \"x\"",
            "[header]\nX-A = \"a\\nb\"")) {
      file("reg.example", toml + "\n");

      assertThatThrownBy(() -> of("reg.example"))
          .as(toml)
          .isInstanceOfSatisfying(RegistryException.class, e -> assertThat(e.temporary()).isFalse())
          .hasMessageContaining("reg.example/hosts.toml says: ");
    }
  }
}
