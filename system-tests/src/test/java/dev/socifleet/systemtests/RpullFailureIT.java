package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.testing.ContainerdProcess.Result;
import dev.socifleet.testing.FreePort;
import dev.socifleet.testing.Needs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code soci rpull} says when it can't pull, and that it leaves nothing behind then. */
class RpullFailureIT {
  @TempDir Path root;
  private RpullRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new RpullRig(root);
  }

  @AfterEach
  void stop() {
    if (rig != null) {
      rig.close();
    }
  }

  @Test
  void aLayerThatHoldsOtherFilesThanTheConfigSaysLeavesNothing() throws Exception {
    byte[] config =
        """
        {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}\
        """
            .formatted(Digest.of(new byte[3]))
            .getBytes(StandardCharsets.UTF_8);
    rig.repository.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    byte[] manifest =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(rig.image().manifest().layers().getLast()),
                null,
                Map.of()));
    rig.repository.putManifest("bad", MediaTypes.OCI_MANIFEST, manifest);

    Result result = rig.rpull(rig.registry.host() + "/team/app:bad");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("its diff id is").hasLineCount(1);
    assertThat(rig.snapshots()).isEmpty();
    assertThat(rig.images()).isEmpty();
    rig.collectGarbage();
    assertThat(rig.blobs()).isEmpty();
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.snapshots().isEmpty());
  }

  @Test
  void aLayerWhoseBytesAreOthersThanItsDigestSaysLeavesNothing() throws Exception {
    Path data =
        root.resolve("storage/docker/registry/v2/blobs/sha256")
            .resolve(rig.layer(1).hex().substring(0, 2))
            .resolve(rig.layer(1).hex())
            .resolve("data");
    byte[] bytes = Files.readAllBytes(data);
    bytes[bytes.length / 2] ^= 1;
    Files.write(data, bytes);
    rig.serve(0);

    Result result = rig.rpull(rig.ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains(rig.layer(1).toString(), "sent other bytes").hasLineCount(1);
    assertThat(rig.images()).isEmpty();
    assertThat(rig.leases()).isEmpty();
    rig.collectGarbage();
    assertThat(rig.blobs()).isEmpty();
    assertThat(rig.containerd.ctr("content", "active").success().lines().skip(1)).isEmpty();
    await().atMost(Duration.ofMinutes(3)).until(() -> rig.node.snapshots().isEmpty());
  }

  @Test
  void anImageThatIsNotThereIsSaidInOneLine() {
    Result result = rig.rpull(rig.registry.host() + "/team/app:none");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("the registry has no such image").hasLineCount(1);
  }

  @Test
  void aRegistryThatIsNotThereIsSaidInOneLine() throws Exception {
    Result result = rig.rpull("127.0.0.1:" + FreePort.choose() + "/team/app:1");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("reachable?").hasLineCount(1);
  }

  @Test
  void wrongUsageIsSaidInOneLine() {
    for (String[] wrong :
        new String[][] {
          {"rpull"},
          {"rpull", "--snapshoter", "x", rig.ref},
          {"rpull", "--platform", "linux", rig.ref},
          {"rpull", "--soci-index-digest", "sha256:1", rig.ref},
          {"rpull", "--timeout", "5", rig.ref},
          {"rpull", "app:"}
        }) {
      Result result = SociCommand.run(wrong);

      assertThat(result.status()).isEqualTo(2);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).startsWith("soci: ").contains("soci rpull --help").hasLineCount(1);
    }
  }

  @Test
  void aContainerdThatIsNotThereIsSaidInOneLine() {
    Result result = SociCommand.run("rpull", "-a", root.resolve("none.sock").toString(), rig.ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("none.sock").contains("--address").hasLineCount(1);
  }

  @Test
  void aSnapshotterThatIsNotConfiguredIsSaidWithWhatToConfigure() {
    Result result = rig.rpull("--snapshotter", "lazy", rig.ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("[proxy_plugins.lazy]").hasLineCount(1);
  }

  @Test
  void aSnapshotterThatDoesNotAnswerIsSaidInOneLine() throws Exception {
    rig.node.close();

    Result result = rig.rpull(rig.ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("snapshotter soci doesn't answer").hasLineCount(1);
    assertThat(rig.leases()).isEmpty();
  }

  @Test
  void aRegistryThatAsksForALoginGetsTheOneThatIsGiven() throws Exception {
    Needs.programs("htpasswd");
    rig.serve(0, 1);
    Path directory = Files.createDirectories(root.resolve("login"));
    try (DockerRegistry registry = DockerRegistry.startQuiet(directory, "secret");
        HttpRegistries registries =
            HttpRegistries.open(
                new RegistriesConfig(
                    List.of(RegistryHost.of(registry.host())),
                    repository -> new Credential.Basic("fleet", "secret"),
                    "test/1"))) {
      rig.image().push(registries.repository(new RepositoryName(registry.host(), "team/app")), "1");
      String ref = registry.host() + "/team/app:1";

      Result denied = rig.rpull(ref);
      assertThat(denied.status()).isEqualTo(1);
      assertThat(denied.err()).contains("denies access (401)").contains("--user").hasLineCount(1);
      Result wrong = rig.rpull("--user", "fleet:guess", ref);
      assertThat(wrong.status()).isEqualTo(1);
      assertThat(wrong.err()).contains("denies access (401)").hasLineCount(1);

      assertThat(rig.rpull("--user", "fleet:secret", ref).success()).contains("2 of 3 layers lazy");
      assertThat(rig.run("soci", ref).success()).isEqualTo(RpullRig.GREETING);
    }
  }
}
