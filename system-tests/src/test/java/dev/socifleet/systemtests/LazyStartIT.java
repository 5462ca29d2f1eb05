package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.systemtests.DockerRegistry.Access;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OciLayout;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main job: an image of Debian's packages is pushed by skopeo to docker-registry; without
 * further commands it gets both indexes; containerd starts it lazily through the node; the tree is
 * the one that umoci unpacks; a second node costs the registry nothing more. In order, on one
 * fleet.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(1200)
class LazyStartIT {
  private static final String PROGRAM =
      "import json, sys, hashlib; print(json.dumps({'python': sys.version_info[0],"
          + " 'sha': hashlib.sha256(b'x').hexdigest()[:8], 'etc': open('/etc/tiny').read().strip()}))";

  /** What a node got of image content, by source and content. */
  private static final String FETCHED = "soci_node_fetched_bytes";

  private static final String PRINTED =
      "{\"python\": 3, \"sha\": \"2d711642\", \"etc\": \"too small to index\"}\n";

  @TempDir static Path directory;
  private static @Nullable Fleet fleet;
  private static @Nullable OciLayout image;
  private static @Nullable ServiceProcess node;
  private static @Nullable ContainerdProcess containerd;

  @BeforeAll
  @Timeout(1800)
  static void start() throws Exception {
    Needs.root();
    Needs.fuse();
    Needs.programs(
        "containerd",
        "ctr",
        "runc",
        "docker-registry",
        "mmdebstrap",
        "skopeo",
        "umoci",
        "setcap",
        "setfattr",
        "htpasswd");
    fleet = Fleet.start(directory.resolve("fleet"));
    image =
        DebianImage.make(
            Files.createDirectories(directory.resolve("image")),
            "1",
            List.of("/usr/bin/python3", "-c", PROGRAM));
  }

  @AfterAll
  static void stop() {
    if (containerd != null) {
      containerd.close();
    }
    if (fleet != null) {
      fleet.close();
    }
  }

  private static Fleet fleet() {
    return Objects.requireNonNull(fleet);
  }

  private static OciLayout image() {
    return Objects.requireNonNull(image);
  }

  private static ContainerdProcess containerd() {
    return Objects.requireNonNull(containerd);
  }

  private static String reference() {
    return fleet().registry.host() + "/team/python:1";
  }

  @Test
  @Order(1)
  void aPushedImageIsIndexedWithoutFurtherCommands() throws Exception {
    fleet().push(image().directory(), "1", "team/python");

    Repository repository = fleet().repository("team/python");
    Digest manifest =
        OciJson.index(Files.readAllBytes(image().directory().resolve("index.json")))
            .manifests()
            .getFirst()
            .digest();
    await()
        .atMost(Duration.ofMinutes(5))
        .ignoreExceptions()
        .until(() ->
            !repository.referrers(manifest, SociTerms.V1_TYPE).isEmpty()
                && repository.headManifest("1-soci").isPresent());
    SociIndex index =
        SociIndex.read(
            repository
                .manifest(
                    repository
                        .referrers(manifest, SociTerms.V1_TYPE)
                        .getFirst()
                        .digest()
                        .toString())
                .orElseThrow()
                .bytes());
    assertThat(index.ztocs()).hasSize(3); // the fourth layer is too small
  }

  @Test
  @Order(2)
  void containerdStartsItLazilyAndLessThanAThirdLeavesTheRegistry() throws Exception {
    Path root = Files.createDirectories(directory.resolve("node1"));
    node = fleet().startNode(root);
    containerd =
        ContainerdProcess.start(
            directory.resolve("containerd1"), Map.of("soci", root.resolve("node.sock")));
    Instant before = fleet().registry.afterAllRequests();

    rpull(containerd(), reference());
    String printed =
        containerd().ctr("run", "--rm", "--snapshotter", "soci", reference(), "first").success();

    assertThat(printed).isEqualTo(PRINTED);
    long bytes = image().layerBytes();
    double counted = node.metric(FETCHED);
    long left = bytesThatLeft(fleet().registry.accesses(before));
    System.out.printf(
        "image %,d bytes, %,d left the registry (%.1f %%), %,.0f counted by the node%n",
        bytes, left, 100.0 * left / bytes, counted);
    // Both account for what came: one that shows nothing isn't one.
    assertThat(left).isBetween(1_000_000L, bytes / 3);
    assertThat(counted).isBetween(1_000_000.0, bytes / 3.0);
  }

  /** Bytes of blobs that anybody got: node, cache and rpull. */
  private static long bytesThatLeft(List<Access> accesses) {
    return accesses.stream()
        .filter(access -> access.method().equals("GET") && access.isBlob())
        .mapToLong(Access::bytes)
        .sum();
  }

  private static String rpull(ContainerdProcess with, String reference) throws Exception {
    return ContainerdProcess.run(
            ServiceProcess.command(
                "dev.socifleet.cli.Soci",
                List.of(
                    "rpull",
                    "--address",
                    with.socket().toString(),
                    "--snapshotter",
                    "soci",
                    "--user",
                    "fleet:" + Fleet.PASSWORD,
                    reference)))
        .success();
  }

  @Test
  @Order(3)
  void theWholeTreeIsTheOneThatUmociUnpacks() throws Exception {
    assertLazyTreeIsUmocis(image(), "1", 3000);
  }

  @Test
  @Order(4)
  void soIsATreeThatDeletesReplacesAndMakesOpaque() throws Exception {
    OciLayout changing =
        ChangingImage.make(Files.createDirectories(directory.resolve("changing")), "c");
    fleet().push(changing.directory(), "c", "team/changing");
    Repository repository = fleet().repository("team/changing");
    await()
        .atMost(Duration.ofMinutes(5))
        .ignoreExceptions()
        .until(() -> repository.headManifest("c-soci").isPresent());
    String pulled = rpull(containerd(), fleet().registry.host() + "/team/changing:c");

    assertThat(pulled).contains("4 of 4 layers lazy");
    assertLazyTreeIsUmocis(changing, "c", 20);
  }

  /** What the node mounts of the image's layers is what umoci unpacks of them. */
  private static void assertLazyTreeIsUmocis(OciLayout layout, String tag, int atLeast)
      throws Exception {
    Path rootfs = directory.resolve("bundle-" + tag).resolve("rootfs");
    DebianImage.shell(
        "umoci unpack --image %s:%s %s".formatted(layout.directory(), tag, rootfs.getParent()));
    Path mounted = Files.createDirectories(directory.resolve("mounted-" + tag));
    // ctr 1.6's "images mount" always takes overlayfs, so a view by hand
    String view = "whole-" + tag;
    // which containerd collects, if it happens to, until it has the label that keeps it
    await()
        .atMost(Duration.ofMinutes(5))
        .ignoreExceptions()
        .until(() -> {
          snapshots("view", view, layout.chainId());
          snapshots("label", view, "containerd.io/gc.root=of-a-test");
          return true;
        });
    DebianImage.shell(snapshots("mounts", mounted.toString(), view));
    try {
      List<String> lazy = DebianImage.listing(mounted);
      assertThat(lazy).hasSizeGreaterThan(atLeast);
      assertThat(difference(lazy, DebianImage.listing(rootfs))).isEmpty();
      // Not the root's own time: where containerd unpacks a layer itself, it ignores what the layer
      // says of the root.
      String root = "stat -c '%%F %%a %%u %%g' %s";
      assertThat(DebianImage.shell(root.formatted(mounted)))
          .isEqualTo(DebianImage.shell(root.formatted(rootfs)));
    } finally {
      DebianImage.shell("umount " + mounted);
      snapshots("rm", view);
    }
  }

  private static String snapshots(String... command) throws Exception {
    return containerd()
        .ctr(
            Stream.concat(Stream.of("snapshots", "--snapshotter", "soci"), Stream.of(command))
                .toArray(String[]::new))
        .success();
  }

  private static List<String> difference(List<String> lazy, List<String> unpacked) {
    List<String> lines = new ArrayList<>();
    var left = new HashSet<>(lazy);
    var right = new HashSet<>(unpacked);
    lazy.stream().filter(line -> !right.contains(line)).forEach(line -> lines.add("lazy: " + line));
    unpacked.stream()
        .filter(line -> !left.contains(line))
        .forEach(line -> lines.add("unpacked: " + line));
    return lines.subList(0, Math.min(40, lines.size()));
  }

  @Test
  @Order(5)
  void aSecondNodeTakesItsSpansFromTheCache() throws Exception {
    Path root = Files.createDirectories(directory.resolve("node2"));
    ServiceProcess second = fleet().startNode(root);
    Instant before = fleet().registry.afterAllRequests();
    try (ContainerdProcess other =
        ContainerdProcess.start(
            directory.resolve("containerd2"), Map.of("soci", root.resolve("node.sock")))) {
      rpull(other, reference());
      assertThat(other.ctr("run", "--rm", "--snapshotter", "soci", reference(), "second").success())
          .isEqualTo(PRINTED);
    }
    List<String> ranged =
        fleet().registry.accesses(before).stream()
            .filter(access -> access.status() == 206 && access.isBlob())
            .map(Access::toString)
            .toList();
    assertThat(ranged).isEmpty();
    assertThat(second.metric(FETCHED, "source=\"cache\"")).isPositive();
    assertThat(second.metric(FETCHED, "source=\"registry\"", "content=\"spans\"")).isZero();
    second.close();
  }

  @Test
  @Order(6)
  void theMountReadsWhileTheCacheIsDeadAndAfterItsReturn() throws Exception {
    fleet().cache.kill();
    String before = sha256OfAnUnreadFile("linalg/_umath_linalg");
    fleet().cache.restart();
    String after = sha256OfAnUnreadFile("random/_generator");

    assertThat(before).isEqualTo(sha256(packed("linalg/_umath_linalg")));
    assertThat(after).isEqualTo(sha256(packed("random/_generator")));
  }

  /** By a container of the first node. */
  private static String sha256OfAnUnreadFile(String name) throws Exception {
    Path inImage =
        Path.of("/").resolve(directory.resolve("image/library").relativize(packed(name)));
    return containerd()
        .ctr(
            "run",
            "--rm",
            "--snapshotter",
            "soci",
            reference(),
            "reader-" + name.replaceAll("[^a-z]+", "-"),
            "/usr/bin/sha256sum",
            inImage.toString())
        .success()
        .split(" ")[0];
  }

  /** A shared object of numpy where the image was packed. */
  private static Path packed(String name) throws Exception {
    String parent = name.substring(0, name.indexOf('/'));
    try (var files = Files.walk(directory.resolve("image/library/usr/lib/python3"))) {
      return files
          .filter(file -> file.toString().contains("/" + name) && file.toString().endsWith(".so"))
          .filter(file -> file.getParent().endsWith(parent))
          .findFirst()
          .orElseThrow();
    }
  }

  private static String sha256(Path file) throws Exception {
    return Digest.of(Files.readAllBytes(file)).hex();
  }

  @Test
  @Order(7)
  void theCacheGivesNothingToWhomTheRegistryWouldGiveNothing() throws Exception {
    Digest layer = image().layers().getFirst().digest();
    String path = "/v1/ztocs/" + layer + "/" + SociTerms.DEFAULT_SPAN_SIZE;
    String right =
        Base64.getEncoder()
            .encodeToString(("fleet:" + Fleet.PASSWORD).getBytes(StandardCharsets.UTF_8));

    assertThat(ask(path, "Basic " + right)).isEqualTo(200);
    // And that the cache has just learnt all of it opens nothing for others.
    assertThat(ask(path, "")).isEqualTo(403);
    assertThat(ask(path, "Basic d3Jvbmc6d3Jvbmc=")).isEqualTo(403);
  }

  private static int ask(String path, String registryAuthorization) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
            URI.create(
                fleet().cacheUrl
                    + path
                    + "?repository="
                    + fleet().registry.host()
                    + "/team/python"));
    if (!registryAuthorization.isEmpty()) {
      request.header("X-Registry-Authorization", registryAuthorization);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    }
  }
}
