package dev.socifleet.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.MadeImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What commands need at a registry with an authority of its own, which wants to know its clients.
 */
@Timeout(180)
class GuardedRegistryIT {
  @TempDir static Path made;
  private static KeyFiles keys;

  @TempDir private Path directory;
  private SmallRegistry behind;
  private GuardedRegistry registry;
  private String reference;

  @BeforeAll
  static void makeKeys() throws Exception {
    keys = new KeyFiles(made);
  }

  @BeforeEach
  void start() throws Exception {
    behind = SmallRegistry.start(SmallRegistry.Options.in(directory.resolve("registry")));
    registry = new GuardedRegistry(keys.context(), behind.host());
    Path layer = Files.createDirectories(directory.resolve("layer"));
    Files.writeString(layer.resolve("hello"), "hello\n");
    try (HttpRegistries open =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(RegistryHost.of(behind.host())), Credentials.NONE, "test"))) {
      MadeImage.of(List.of(layer), List.of("/hello"))
          .push(open.repository(RepositoryName.parse(behind.host() + "/app")), "1");
    }
    reference = registry.host() + "/app:1";
  }

  @AfterEach
  void stop() {
    registry.close();
    behind.close();
  }

  /** Explains the image with these flags. */
  private Ended explain(String... flags) {
    List<String> command = new ArrayList<>(List.of("explain", "--platform", "linux/amd64"));
    command.addAll(List.of(flags));
    command.add(reference);
    return RunSoci.soci(command);
  }

  private static String file(String name) {
    return keys.file(name).toString();
  }

  private static void assertFailed(Ended ended, String... words) {
    assertThat(ended.exit()).isEqualTo(1);
    assertThat(ended.failure()).contains(words).hasLineCount(1);
  }

  @Test
  void certificatesAndALoginAreGivenByFlags() {
    Ended ended =
        explain(
            "--tlscacert",
            file("server.pem"),
            "--tlscert",
            file("client.pem"),
            "--tlskey",
            file("client.key"),
            "--refresh",
            GuardedRegistry.REFRESH);

    assertThat(ended.failure()).isEmpty();
    assertThat(ended.out()).contains("no SOCI index");
  }

  @Test
  void theyAreDescribedInADirectoryToo() throws Exception {
    Path host = Files.createDirectories(directory.resolve("certs.d").resolve(registry.host()));
    Files.writeString(
        host.resolve("hosts.toml"),
        """
        server = "https://%s"
        ca = "%s"
        client = [["%s", "%s"]]
        """
            .formatted(
                registry.host(), file("server.pem"), file("client.pem"), file("client.key")));

    Ended ended =
        explain(
            "--hosts-dir",
            directory.resolve("certs.d").toString(),
            "--refresh",
            GuardedRegistry.REFRESH);

    assertThat(ended.failure()).isEmpty();
  }

  @Test
  void anAuthorityThatNobodyNamesIsNotTrustedUnlessTheCheckIsSkipped() {
    String[] ours = {"--tlscert", file("client.pem"), "--tlskey", file("client.key")};
    assertFailed(
        explain(ours[0], ours[1], ours[2], ours[3], "--refresh", GuardedRegistry.REFRESH),
        "--tlscacert");

    Ended skipped =
        explain(ours[0], ours[1], ours[2], ours[3], "-k", "--refresh", GuardedRegistry.REFRESH);
    assertThat(skipped.failure()).isEmpty();
  }

  @Test
  void withoutOurCertificateWeAreTurnedAway() {
    assertFailed(
        explain("--tlscacert", file("server.pem"), "--refresh", GuardedRegistry.REFRESH),
        registry.host());
    assertThat(explain("--tlscacert", file("server.pem"), "--tlscert", file("client.pem")).err())
        .contains("--tlskey");
  }

  @Test
  void aWrongRefreshTokenIsDenied() {
    assertFailed(
        explain(
            "--tlscacert",
            file("server.pem"),
            "--tlscert",
            file("client.pem"),
            "--tlskey",
            file("client.key"),
            "--refresh",
            "another"),
        "401",
        "docker login");
  }

  @Test
  void anImageIsPulledWithTheSameFlags() throws Exception {
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory)) {
      Ended ended =
          containerd.soci(
              "rpull",
              "--snapshotter",
              "native",
              "--platform",
              "linux/amd64",
              "--tlscacert",
              file("server.pem"),
              "--tlscert",
              file("client.pem"),
              "--tlskey",
              file("client.key"),
              "--refresh",
              GuardedRegistry.REFRESH,
              reference);

      assertThat(ended.failure()).isEmpty();
      assertThat(containerd.ctr("images", "ls", "-q")).isEqualTo(reference + "\n");
    }
  }
}
