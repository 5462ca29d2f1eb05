package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.Soci;
import dev.socifleet.containerd.BlobWriter;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.Lease;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.node.snapshots.Snapshot;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.ContainerdProcess.Result;
import dev.socifleet.testing.MadeImage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci rpull} on a real containerd and a real registry; needs root and runc. */
class RpullIT {
  private static final String GREETING = "hello from the third layer\n";

  @TempDir Path root;
  private DirectoryNode node;
  private ContainerdProcess containerd;
  private DockerRegistry registry;
  private HttpRegistries registries;
  private Repository repository;
  private MadeImage image;
  private List<Path> trees;
  private String ref;

  @BeforeEach
  void start() throws Exception {
    Needs.programs("containerd", "ctr", "runc", "docker-registry");
    node = new DirectoryNode(root.resolve("node"));
    containerd = ContainerdProcess.start(root.resolve("c"), Map.of("soci", node.socket()));
    registry = DockerRegistry.start(root);
    registries =
        HttpRegistries.open(
            new RegistriesConfig(
                List.of(RegistryHost.of(registry.host())), Credentials.NONE, "test/1"));
    repository = registries.repository(new RepositoryName(registry.host(), "team/app"));
    trees = trees();
    image = MadeImage.of(trees, List.of("/usr/bin/cat", "/etc/greeting"));
    image.push(repository, "1");
    ref = registry.host() + "/team/app:1";
  }

  @AfterEach
  void stop() throws Exception {
    if (containerd != null) {
      for (String container : containerd.ctr("containers", "ls", "-q").out().lines().toList()) {
        containerd.ctr("tasks", "rm", "--force", container);
        containerd.ctr("containers", "rm", container);
      }
    }
    for (AutoCloseable part : new AutoCloseable[] {containerd, node, registries, registry}) {
      if (part != null) {
        part.close();
      }
    }
    for (String mount : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String target = mount.split(" ", 3)[1];
      if (target.startsWith(root + "/")) {
        ContainerdProcess.run(List.of("umount", "-l", target));
      }
    }
  }

  private List<Path> trees() throws Exception {
    Path base = Files.createDirectories(root.resolve("base"));
    MadeImage.copyProgram(Path.of("/usr/bin/cat"), base);
    Path second = Files.createDirectories(root.resolve("second/etc")).getParent();
    Files.writeString(second.resolve("etc/greeting"), "hello from the second layer\n");
    byte[] noise = new byte[3_000_000];
    new Random(4).nextBytes(noise);
    Files.write(second.resolve("noise"), noise);
    Path third = Files.createDirectories(root.resolve("third/etc")).getParent();
    Files.writeString(third.resolve("etc/greeting"), GREETING);
    return List.of(base, second, third);
  }

  private void serve(int... layers) {
    for (int layer : layers) {
      node.serve(layer(layer), trees.get(layer));
    }
  }

  private Digest layer(int number) {
    return image.manifest().layers().get(number).digest();
  }

  private Result rpull(String... arguments) {
    List<String> all = new ArrayList<>(List.of("rpull", "-a", containerd.socket().toString()));
    all.addAll(List.of(arguments));
    return SociCommand.run(all.toArray(String[]::new));
  }

  private JsonNode pulled(String... more) throws Exception {
    List<String> all = new ArrayList<>(List.of(more));
    all.addAll(List.of("--json", ref));
    return new JsonMapper().readTree(rpull(all.toArray(String[]::new)).success());
  }

  private String run(String... more) throws Exception {
    List<String> all = new ArrayList<>(List.of("run", "--rm"));
    all.addAll(List.of(more.length == 0 ? new String[] {"--snapshotter", "soci"} : more));
    all.addAll(List.of(ref, "c1"));
    return containerd.ctr(all.toArray(String[]::new)).success();
  }

  private List<String> blobs() throws Exception {
    return containerd.ctr("content", "ls", "-q").success().lines().toList();
  }

  private List<String> leases() throws Exception {
    return containerd.ctr("leases", "ls", "-q").success().lines().toList();
  }

  private List<String> snapshotsInContainerd() throws Exception {
    return containerd
        .ctr("snapshots", "--snapshotter", "soci", "ls")
        .success()
        .lines()
        .skip(1)
        .toList();
  }

  /** Takes and ends a lease, which makes containerd collect garbage. */
  private void collectGarbage() throws Exception {
    containerd.ctr("content", "prune", "references").success();
  }

  @Test
  void anImageWhoseLayersAreAllLazyRunsWithoutAnyOfThem() throws Exception {
    serve(0, 1, 2);

    String printed = rpull(ref).success();

    assertThat(printed).contains("3 of 3 layers lazy, 0.0 MB of ");
    assertThat(printed.lines()).hasSize(4);
    assertThat(blobs())
        .containsExactlyInAnyOrder(
            image.manifestBlob().digest().toString(),
            image.manifest().config().digest().toString());
    assertThat(leases()).isEmpty();
    assertThat(containerd.ctr("images", "ls", "-q").success()).isEqualTo(ref + "\n");
    assertThat(run()).isEqualTo(GREETING);
    collectGarbage();
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void theSnapshotterIsToldWhichImageAndLayersItServes() throws Exception {
    serve(0, 2);
    Digest index = Digest.of("an index".getBytes(StandardCharsets.UTF_8));

    rpull("--soci-index-digest", index.toString(), ref).success();

    assertThat(node.asked()).hasSize(3);
    assertThat(node.asked().get(1))
        .containsEntry(Labels.TARGET, image.chainId(1).toString())
        .containsEntry(Labels.IMAGE, ref)
        .containsEntry(Labels.MANIFEST, image.manifestBlob().digest().toString())
        .containsEntry(Labels.LAYER, layer(1).toString())
        .containsEntry(Labels.LAYERS, layer(1) + "," + layer(2))
        .containsEntry(Labels.INDEX, index.toString());
  }

  @Test
  void layersThatAreLeftAreUnpackedBetweenLazyOnes() throws Exception {
    serve(0, 2);

    JsonNode result = pulled();

    assertThat(result.findValuesAsText("state")).containsExactly("lazy", "unpacked", "lazy");
    long size = image.manifest().layers().get(1).size();
    assertThat(result.path("downloaded").asLong()).isEqualTo(size);
    assertThat(blobs()).contains(layer(1).toString()).doesNotContain(layer(0).toString());
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void anImageWithoutLazyLayersIsPulledWhole() throws Exception {
    JsonNode result = pulled();

    assertThat(result.findValuesAsText("state")).containsOnly("unpacked").hasSize(3);
    assertThat(result.path("downloaded").asLong()).isEqualTo(result.path("size").asLong());
    assertThat(run()).isEqualTo(GREETING);
    collectGarbage();
    assertThat(blobs()).hasSize(5);
  }

  @Test
  void anySnapshotterOfContainerdCanBeUsed() throws Exception {
    pulled("--snapshotter", "native");

    assertThat(run("--snapshotter", "native")).isEqualTo(GREETING);
    assertThat(node.asked()).isEmpty();
  }

  @Test
  void aSecondPullDownloadsNothingAndAsksForNoLayer() throws Exception {
    serve(0);
    pulled();

    JsonNode again = pulled();

    assertThat(again.findValuesAsText("thereBefore")).containsOnly("true").hasSize(3);
    assertThat(again.findValuesAsText("state")).containsExactly("lazy", "unpacked", "unpacked");
    assertThat(again.path("downloaded").asLong()).isZero();
    assertThat(node.asked()).hasSize(3);
    assertThat(node.snapshots()).hasSize(3).allMatch(s -> s.kind() == Snapshot.Kind.COMMITTED);
    assertThat(leases()).isEmpty();
  }

  @Test
  void theNameMovesToWhatTheTagPointsAtNow() throws Exception {
    serve(0, 1, 2);
    pulled();
    Files.writeString(trees.get(2).resolve("etc/greeting"), "hello again\n");
    image = MadeImage.of(trees, List.of("/usr/bin/cat", "/etc/greeting"));
    image.push(repository, "1");

    assertThat(pulled().path("digest").asText())
        .isEqualTo(image.manifestBlob().digest().toString());
    assertThat(run()).isEqualTo("hello again\n");
    assertThat(containerd.ctr("images", "ls", "-q").success()).isEqualTo(ref + "\n");
  }

  @Test
  void whenTheImageIsRemovedItsSnapshotsAndBlobsGo() throws Exception {
    serve(0, 2);
    pulled();
    assertThat(snapshotsInContainerd()).hasSize(3);

    containerd.ctr("images", "rm", "--sync", ref).success();

    assertThat(snapshotsInContainerd()).isEmpty();
    assertThat(blobs()).isEmpty();
    await().atMost(Duration.ofSeconds(20)).until(() -> node.snapshots().isEmpty());
  }

  @Test
  void layersThatTheNodeLostComeBackWithASecondPull() throws Exception {
    serve(0, 1, 2);
    pulled();
    node.loseLayers();
    assertThat(containerd.ctr("run", "--rm", "--snapshotter", "soci", ref, "c1").err())
        .contains("pull its image again");

    assertThat(pulled().findValuesAsText("thereBefore")).contains("false");
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void whatAnEarlierUploadLeftIsNotDownloadedAgain() throws Exception {
    byte[] blob = image.blobs().get(layer(1));
    try (ContainerdChannel channel = ContainerdChannel.open(containerd.socket());
        Lease lease = Lease.open(channel, "default", "test", Duration.ofMinutes(5))) {
      ContentStore store = new ContentStore(lease.calls());
      try (BlobWriter writer =
          store.write("layer-" + layer(1), layer(1).toString(), blob.length).orElseThrow()) {
        writer.write(blob, 0, 2_000_000);
      }

      JsonNode result = pulled();

      assertThat(result.path("layers").get(1).path("downloaded").asLong())
          .isEqualTo(blob.length - 2_000_000);
    }
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void wrongBytesThatAnEarlierUploadLeftAreReplaced() throws Exception {
    int size = image.blobs().get(layer(1)).length;
    try (ContainerdChannel channel = ContainerdChannel.open(containerd.socket());
        Lease lease = Lease.open(channel, "default", "test", Duration.ofMinutes(5))) {
      ContentStore store = new ContentStore(lease.calls());
      try (BlobWriter writer =
          store.write("layer-" + layer(1), layer(1).toString(), size).orElseThrow()) {
        writer.write(new byte[size / 2], 0, size / 2);
      }
      pulled();
    }
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void aPullThatIsKilledCanBeRepeatedAndItsLeaseExpires() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    node.holdQuestions(answer);
    Process pull = process();
    try {
      await().atMost(Duration.ofSeconds(60)).until(() -> !node.asked().isEmpty());
    } finally {
      pull.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
      answer.countDown();
    }

    assertThat(containerd.ctr("leases", "ls").success()).contains("containerd.io/gc.expire=");
    serve(0, 1, 2);
    pulled();
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void aPullThatIsToldToEndGivesItsLeaseBack() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    node.holdQuestions(answer);
    Process pull = process();
    try {
      await().atMost(Duration.ofSeconds(60)).until(() -> !node.asked().isEmpty());
      pull.destroy();
      assertThat(pull.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(leases()).isEmpty();
    } finally {
      pull.destroyForcibly();
      answer.countDown();
    }
  }

  private Process process() throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "-XX:+UseSerialGC",
            Soci.class.getName(),
            "rpull",
            "-a",
            containerd.socket().toString(),
            ref)
        .redirectErrorStream(true)
        .redirectOutput(root.resolve("pull.log").toFile())
        .start();
  }

  @Test
  void aPullThatTakesTooLongEnds() throws Exception {
    CountDownLatch answer = new CountDownLatch(1);
    node.holdQuestions(answer);
    try {
      Result result = rpull("--timeout", "2s", ref);

      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("--timeout");
      assertThat(leases()).isEmpty();
    } finally {
      answer.countDown();
    }
  }

  @Test
  void anExpiredLeaseHoldsNothing() throws Exception {
    try (ContainerdChannel channel = ContainerdChannel.open(containerd.socket())) {
      Lease lease = Lease.open(channel, "default", "test", Duration.ofSeconds(1));
      ContentStore store = new ContentStore(lease.calls());
      byte[] bytes = "x".repeat(100).getBytes(StandardCharsets.UTF_8);
      String digest = Digest.of(bytes).toString();
      try (BlobWriter writer = store.write("r", digest, bytes.length).orElseThrow()) {
        writer.write(bytes, 0, bytes.length);
        writer.commit(Map.of());
      }
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            collectGarbage();
            return blobs().isEmpty() && leases().isEmpty();
          });
    }
  }

  @Test
  void ofAnIndexTheImageOfThePlatformIsPulledAndNotItsSociIndex() throws Exception {
    serve(0, 1, 2);
    Platform amd64 = Platform.of("linux", "amd64", "");
    Descriptor other =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(new byte[1]), 1)
            .withPlatform(Platform.of("linux", "s390x", ""));
    Descriptor sociIndex =
        Descriptor.of(MediaTypes.OCI_MANIFEST, Digest.of(new byte[2]), 1)
            .withPlatform(amd64)
            .withArtifactType(SociTerms.V2_TYPE);
    Descriptor mine =
        Descriptor.of(
                MediaTypes.OCI_MANIFEST,
                image.manifestBlob().digest(),
                image.manifestBlob().bytes().length)
            .withPlatform(amd64);
    byte[] index = pushIndex(List.of(other, mine, sociIndex));

    JsonNode result = pulled("--platform", "linux/amd64");

    assertThat(result.path("digest").asText()).isEqualTo(Digest.of(index).toString());
    assertThat(result.path("manifest").asText())
        .isEqualTo(image.manifestBlob().digest().toString());
    collectGarbage();
    assertThat(run()).isEqualTo(GREETING);
    assertThat(blobs()).hasSize(3);

    Result wrong = rpull("--platform", "linux/arm64", ref);
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.err())
        .contains("no image for linux/arm64")
        .contains("--platform: linux/amd64, linux/s390x")
        .hasLineCount(1);
  }

  /** docker-registry refuses an index whose manifests it hasn't; so its storage is written. */
  private byte[] pushIndex(List<Descriptor> entries) throws Exception {
    byte[] index = OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", entries, null, Map.of()));
    Digest digest = Digest.of(index);
    Path storage = root.resolve("storage/docker/registry/v2");
    Path data =
        storage.resolve(
            "blobs/sha256/" + digest.hex().substring(0, 2) + "/" + digest.hex() + "/data");
    Files.createDirectories(data.getParent());
    Files.write(data, index);
    Path manifests = storage.resolve("repositories/team/app/_manifests");
    for (String link :
        List.of("revisions/sha256/" + digest.hex() + "/link", "tags/1/current/link")) {
      Path file = manifests.resolve(link);
      Files.createDirectories(file.getParent());
      Files.writeString(file, digest.toString());
    }
    return index;
  }

  @Test
  void aSingleImageOfAnotherPlatformIsNotPulled() throws Exception {
    Result result = rpull("--platform", "linux/arm64", ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("linux/amd64").hasLineCount(1);
    assertThat(blobs()).isEmpty();
    assertThat(leases()).isEmpty();
  }

  @Test
  void aLayerThatHoldsOtherFilesThanTheConfigSaysLeavesNothing() throws Exception {
    byte[] config =
        """
        {"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}\
        """
            .formatted(Digest.of(new byte[3]))
            .getBytes(StandardCharsets.UTF_8);
    repository.putBlob(Digest.of(config), config.length, BlobContent.of(config));
    byte[] manifest =
        OciJson.write(
            new ImageManifest(
                MediaTypes.OCI_MANIFEST,
                "",
                Descriptor.of(MediaTypes.OCI_CONFIG, Digest.of(config), config.length),
                List.of(image.manifest().layers().getLast()),
                null,
                Map.of()));
    repository.putManifest("bad", MediaTypes.OCI_MANIFEST, manifest);

    Result result = rpull(registry.host() + "/team/app:bad");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("its diff id is").hasLineCount(1);
    assertThat(snapshotsInContainerd()).isEmpty();
    assertThat(containerd.ctr("images", "ls", "-q").success()).isEmpty();
    collectGarbage();
    assertThat(blobs()).isEmpty();
    await().atMost(Duration.ofSeconds(20)).until(() -> node.snapshots().isEmpty());
  }

  @Test
  void anImageThatIsNotThereIsSaidInOneLine() {
    Result result = rpull(registry.host() + "/team/app:none");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("the registry has no such image").hasLineCount(1);
  }

  @Test
  void aRegistryThatIsNotThereIsSaidInOneLine() throws Exception {
    Result result = rpull("127.0.0.1:" + DockerRegistry.freePort() + "/team/app:1");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("reachable?").hasLineCount(1);
  }

  @Test
  void aContainerdThatIsNotThereIsSaidInOneLine() {
    Result result = SociCommand.run("rpull", "-a", root.resolve("none.sock").toString(), ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("none.sock").contains("--address").hasLineCount(1);
  }

  @Test
  void aSnapshotterThatIsNotConfiguredIsSaidWithWhatToConfigure() {
    Result result = rpull("--snapshotter", "lazy", ref);

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("[proxy_plugins.lazy]").hasLineCount(1);
  }

  @Test
  void aSnapshotterThatDoesNotAnswerIsSaidInOneLine() throws Exception {
    node.close();
    try {
      Result result = rpull(ref);

      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("snapshotter soci doesn't answer").hasLineCount(1);
      assertThat(leases()).isEmpty();
    } finally {
      node = null;
    }
  }

  @Test
  void aRegistryThatAsksForALoginGetsTheOneThatIsGiven() throws Exception {
    registry.close();
    // The password is "secret".
    registry =
        DockerRegistry.startWithLogin(
            root, "me:$2b$04$Ch96f.DeXXGoYv1yoWu1YO6/5v5PeQvzwMdNQJtJlgT/6/jAU.cEa");
    ref = registry.host() + "/team/app:1";
    serve(0, 1);

    Result denied = rpull(ref);
    assertThat(denied.status()).isEqualTo(1);
    assertThat(denied.err()).contains("denies access (401)").contains("--user").hasLineCount(1);

    assertThat(pulled("--user", "me:secret").path("downloaded").asLong()).isPositive();
    assertThat(run()).isEqualTo(GREETING);
  }

  @Test
  void theNamespaceMayStandBeforeTheCommand() throws Exception {
    SociCommand.run(
            "-a", containerd.socket().toString(), "--namespace", "other", "rpull", "-q", ref)
        .success();

    assertThat(containerd.ctr("-n", "other", "images", "ls", "-q").success()).isEqualTo(ref + "\n");
    assertThat(containerd.ctr("images", "ls", "-q").success()).isEmpty();
  }
}
