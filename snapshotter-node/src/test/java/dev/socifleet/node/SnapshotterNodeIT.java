package dev.socifleet.node;

import static dev.socifleet.node.MemoryRegistry.REPOSITORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.snapshots.v1.ListSnapshotsRequest;
import dev.socifleet.containerd.snapshots.v1.PrepareSnapshotRequest;
import dev.socifleet.containerd.snapshots.v1.SnapshotsGrpc;
import dev.socifleet.node.control.ControlClient;
import dev.socifleet.node.control.ControlClient.ControlException;
import dev.socifleet.node.control.NodeStatus;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.layers.DirectoryLayers;
import dev.socifleet.node.layers.LayerBytes;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.layers.RootAttributes;
import dev.socifleet.node.mounts.MountedImage;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Settings;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.testing.Needs;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node with layers that are plain directories and a registry in memory. Needs root. */
class SnapshotterNodeIT {
  @TempDir Path directory;
  private final MemoryRegistry registry = new MemoryRegistry();
  private final List<String> closedWhileServing = new ArrayList<>();
  private Path root;
  private DirectoryLayers layers;
  private NodeConfig config;
  private SnapshotterNode node;
  private ControlClient control;
  private Descriptor layer;
  private LayerKey lazy;
  private ManifestBlob image;

  @BeforeEach
  void start() throws IOException {
    Needs.root();
    root = directory.resolve("root");
    layers = new DirectoryLayers(directory.resolve("lazy"));
    config =
        NodeConfig.from(
            Settings.of(
                Map.of(
                    "root",
                    root.toString(),
                    "socket",
                    directory.resolve("run/s").toString(),
                    "admin.listen",
                    "127.0.0.1:0",
                    "registry.0.host",
                    MemoryRegistry.HOST)));
    node = SnapshotterNode.start(config, new TestParts());
    control = new ControlClient(config.controlSocket());
    byte[] ztoc = "a zTOC".getBytes(StandardCharsets.US_ASCII);
    layer = Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.of(new byte[] {1}), 20_000_000);
    lazy = new LayerKey(layer.digest(), registry.putBlob(ztoc));
    layers.announce(layer.digest(), to -> Files.writeString(to.resolve("f"), "lazily"));
    image = registry.putManifest(registry.putImage(List.of(layer), Map.of()), "1");
    registry.putIndex(
        SociIndex.v1(
            List.of(
                new LayerZtoc(layer.digest(), layer.mediaType(), lazy.ztoc(), ztoc.length, 1024)),
            Descriptor.of(image.mediaType(), image.digest(), image.bytes().length)));
  }

  @AfterEach
  void stop() {
    if (node != null) {
      node.close();
    }
  }

  @Test
  void containerdIsToldThatALazyLayerIsThereAlready() throws Exception {
    try (ContainerdChannel channel = ContainerdChannel.open(config.socket())) {
      var snapshots = SnapshotsGrpc.newBlockingStub(channel.plain());

      assertThatThrownBy(() ->
              snapshots.prepare(
                  PrepareSnapshotRequest.newBuilder()
                      .setKey("default/1/extract")
                      .putAllLabels(labels("sha256:chain"))
                      .build()))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS));
      assertThat(
              snapshots
                  .list(
                      ListSnapshotsRequest.newBuilder()
                          .addFilters("labels.\"containerd.io/snapshot.ref\"==sha256:chain")
                          .build())
                  .next()
                  .getInfoList())
          .hasSize(1);
    }
    assertThat(control.status().decisions())
        .singleElement()
        .satisfies(d -> {
          assertThat(d.reason()).isEqualTo("lazy");
          assertThat(d.layer()).isEqualTo(layer.digest().toString());
        });
  }

  @Test
  void anImageIsMountedAndReleasedOverTheControlSocket() throws Exception {
    MountedImage mounted = control.mount(REPOSITORY + ":1", "");

    assertThat(mounted.layers()).singleElement().satisfies(l -> assertThat(l.lazy()).isTrue());
    assertThat(Path.of(mounted.lower().getFirst()).resolve("f")).hasContent("lazily");
    NodeStatus status = control.status();
    assertThat(status.mounts()).containsExactly(mounted);
    assertThat(status.layers())
        .containsExactly(new NodeStatus.Layer(lazy.layer().toString(), lazy.ztoc().toString()));
    assertThat(status.bytes("registry", "ztocs")).isEqualTo(6);
    assertThat(status.bytes("registry", "layers")).isZero();

    control.release(mounted.id());
    assertThat(control.status().mounts()).isEmpty();
    assertThat(control.status().layers()).isEmpty();
    assertThatThrownBy(() -> control.release(mounted.id()))
        .isInstanceOfSatisfying(ControlException.class, e -> assertThat(e.status()).isEqualTo(404));
  }

  @Test
  void refusalsSayWhyAndWithWhichStatus() {
    refused(404, () -> control.mount(REPOSITORY + ":none", ""), "the registry has no");
    refused(403, () -> control.mount("elsewhere.test/a:1", ""), "[[registry]]");
    refused(400, () -> control.mount("NOT A REFERENCE", ""), "reference");
    refused(400, () -> control.mount(REPOSITORY + ":1", "amiga"), "platform");
    refused(400, () -> control.mount("", ""), "no image");
  }

  @Test
  void requestsThatMakeNoSenseAreAnswered() throws Exception {
    assertThat(raw("POST /v1/mounts HTTP/1.0\r\nContent-Length: 3\r\n\r\n[1]"))
        .startsWith("HTTP/1.0 400");
    assertThat(raw("GET /v2/ HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.0 404");
    assertThat(raw("PUT /v1/status HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.0 405");
    assertThat(raw("DELETE /v1/mounts/..%2f.. HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.0 404");
    assertThat(
            raw("POST /v1/mounts HTTP/1.0\r\nContent-Length: 100000\r\n\r\n" + " ".repeat(100_000)))
        .startsWith("HTTP/1.0 413");
    assertThat(control.status().mounts()).isEmpty();
  }

  @Test
  void aCallerThatGoesAwayLeavesNoMountBehind() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    registry.hook(request -> {
      asked.countDown();
      go.await();
    });
    String body = "{\"image\":\"" + REPOSITORY + ":1\"}";
    try (SocketChannel channel =
        SocketChannel.open(UnixDomainSocketAddress.of(config.controlSocket()))) {
      send(
          channel,
          "POST /v1/mounts HTTP/1.0\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
      asked.await();
    }
    go.countDown();

    // The next answer about the same image comes after the abandoned one was dealt with or is
    // being.
    registry.clearHooks();
    MountedImage mine = control.mount(REPOSITORY + ":1", "");
    until(() -> control.status().mounts().equals(List.of(mine)));
  }

  @Test
  void socketsAndRootAreForTheirOwnerOnly() throws Exception {
    for (Path file : List.of(config.socket(), config.controlSocket())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .as("%s", file)
          .isEqualTo("rw-------");
    }
    for (Path made : List.of(root, directory.resolve("run"))) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
          .as("%s", made)
          .isEqualTo("rwx------");
    }
  }

  @Test
  void aSecondNodeOnTheSameRootIsRefusedInOneLine() throws Exception {
    Process second =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                SnapshotterNode.class.getName(),
                "--root=" + root,
                "--socket=" + directory.resolve("run/other"),
                "--admin.listen=127.0.0.1:0")
            .redirectErrorStream(true)
            .start();
    String said = new String(second.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(second.waitFor(300, TimeUnit.SECONDS)).isTrue();
    assertThat(second.exitValue()).isEqualTo(1);
    assertThat(said.lines().toList())
        .singleElement()
        .asString()
        .contains("cannot start")
        .contains("another node");
    assertThat(control.status().mounts()).isEmpty();
  }

  @Test
  void aSocketThatAnotherProcessServesIsNotTaken() throws Exception {
    NodeConfig other =
        NodeConfig.from(
            Settings.of(
                Map.of(
                    "root", directory.resolve("other").toString(),
                    "socket", config.socket().toString(),
                    "admin.listen", "127.0.0.1:0")));

    assertThatThrownBy(() -> SnapshotterNode.start(other, new TestParts()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(config.socket().toString());
    // What the failed start had opened is closed: the root can be used.
    NodeDatabase.open(directory.resolve("other/db")).close();
  }

  @Test
  void aNodeTakesUpWhatItHeldBeforeWithoutTheRegistryAndReplacesStaleSockets() throws Exception {
    MountedImage mounted = control.mount(REPOSITORY + ":1", "");
    node.close();
    assertThat(config.socket()).doesNotExist();
    assertThat(config.controlSocket()).doesNotExist();
    for (Path stale : List.of(config.socket(), config.controlSocket())) {
      ServerSocketChannel.open(StandardProtocolFamily.UNIX)
          .bind(UnixDomainSocketAddress.of(stale))
          .close();
    }
    registry.hook(request -> {
      throw MemoryRegistry.failure(503, true);
    });

    node = SnapshotterNode.start(config, new TestParts());

    assertThat(control.status().mounts()).containsExactly(mounted);
    assertThat(layers.keys()).containsExactly(lazy);
  }

  @Test
  void whatServesIsClosedBeforeTheMountIs() {
    node.close();

    assertThat(closedWhileServing).containsExactly("layers closed");
  }

  @Test
  void theAdminPortTellsMetricsAndReadiness() throws Exception {
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
    assertThat(get("/metrics").body())
        .contains("soci_node_lazy_layers 0.0")
        .contains("soci_node_fetched_bytes_total{content=\"spans\",source=\"registry\"} 0.0");
  }

  private HttpResponse<String> get(String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + node.adminPort() + path)).build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private Map<String, String> labels(String target) {
    Map<String, String> labels = new HashMap<>();
    labels.put(Labels.TARGET, target);
    labels.put(Labels.IMAGE, REPOSITORY + ":1");
    labels.put(Labels.MANIFEST, image.digest().toString());
    labels.put(Labels.LAYER, layer.digest().toString());
    return labels;
  }

  private static void refused(
      int status, org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String saying) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            ControlException.class, e -> assertThat(e.status()).isEqualTo(status))
        .hasMessageContaining(saying);
  }

  private String raw(String request) throws IOException {
    try (SocketChannel channel =
        SocketChannel.open(UnixDomainSocketAddress.of(config.controlSocket()))) {
      send(channel, request);
      return new String(
          Channels.newInputStream(channel).readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  private static void send(SocketChannel channel, String request) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(request.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** A condition that comes true without our doing; the test's time-out is its deadline. */
  private static void until(java.util.concurrent.Callable<Boolean> condition) throws Exception {
    while (!condition.call()) {
      Thread.sleep(20);
    }
  }

  private final class TestParts implements NodeParts {
    @Override
    public LazyLayers layers(
        NodeConfig of,
        Path mountDirectory,
        Path state,
        NodeDatabase database,
        LayerBytes bytes,
        Metrics metrics) {
      assertThat(mountDirectory).isEqualTo(of.root().resolve("snapshots/l"));
      assertThat(state).isEqualTo(of.root().resolve("layers"));
      return new Closing(of);
    }

    @Override
    public Registries registries(NodeConfig of) {
      return registry;
    }

    @Override
    public Optional<FleetCache> cache(NodeConfig of, Metrics metrics) {
      return Optional.empty();
    }
  }

  /** Notes whether anything still served when the layers were closed. */
  private final class Closing implements LazyLayers {
    private final NodeConfig of;

    Closing(NodeConfig of) {
      this.of = of;
    }

    @Override
    public Path add(LayerKey key, byte[] ztoc, RepositoryName repository)
        throws IOException, dev.socifleet.node.layers.UnservableLayerException {
      return layers.add(key, ztoc, repository);
    }

    @Override
    public Optional<Path> find(LayerKey key) {
      return layers.find(key);
    }

    @Override
    public Set<LayerKey> keys() {
      return layers.keys();
    }

    @Override
    public Optional<RootAttributes> rootOf(LayerKey key) {
      return layers.rootOf(key);
    }

    @Override
    public void remove(LayerKey key) {
      layers.remove(key);
    }

    @Override
    public void close() {
      closedWhileServing.add(
          "layers closed"
              + (Files.exists(of.controlSocket()) ? ", the control socket open" : "")
              + (Files.exists(of.socket()) ? ", containerd's socket open" : ""));
    }
  }
}
