package dev.socifleet.systemtests;

import dev.socifleet.oci.Credential;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Parts;
import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.FreePort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The whole fleet on this machine, each service and the broker a process of its own, with a real
 * registry that lets only one user in and tells ingest of pushes.
 */
final class Fleet implements AutoCloseable {
  static final String PASSWORD = "fleet-password";

  final Path directory;
  final DockerRegistry registry;
  final ServiceProcess ingest;
  final ServiceProcess indexer;
  final ServiceProcess pusher;
  final ServiceProcess cache;
  final String cacheUrl;
  private final int kafkaPort;
  private final Parts parts = new Parts();
  private final HttpRegistries registries;
  private Process broker;

  private Fleet(Path directory) throws IOException, InterruptedException {
    this.directory = Files.createDirectories(directory);
    int registryPort = FreePort.choose();
    int webhookPort = FreePort.choose();
    int cachePort = FreePort.choose();
    kafkaPort = FreePort.choose();
    String host = "127.0.0.1:" + registryPort;
    try {
      broker = startBroker();
      parts.add(this::killBroker);
      Path token = directory.resolve("token");
      Files.writeString(token, "0123456789abcdef0123456789abcdef0123456789abcdef");
      Files.setPosixFilePermissions(
          token, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
      Map<String, String> kafka =
          Map.of("kafka.bootstrap", "127.0.0.1:" + kafkaPort, "kafka.replication", "1");
      Map<String, String> events = new HashMap<>(kafka);
      events.put("listen", "127.0.0.1:" + webhookPort);
      events.put("source.0.name", "main");
      events.put("source.0.registry", host);
      events.put("source.0.authorization", "Bearer webhook-secret");
      ingest = start("dev.socifleet.ingest.Ingest", events);
      registry =
          parts.add(
              DockerRegistry.start(
                  directory,
                  registryPort,
                  "http://127.0.0.1:" + webhookPort + "/v1/events/main",
                  "Bearer webhook-secret",
                  PASSWORD));
      cacheUrl = "http://127.0.0.1:" + cachePort;
      Map<String, String> spans = new HashMap<>(registrySettings(host));
      spans.put("listen", "127.0.0.1:" + cachePort);
      spans.put("directory", directory.resolve("cache").toString());
      spans.put("token-file", token.toString());
      cache = start("dev.socifleet.fetchcache.FetchCache", spans);
      Map<String, String> building = new HashMap<>(kafka);
      building.putAll(registrySettings(host));
      building.put("min-layer-size", "20KiB");
      building.put("cache.members", cacheUrl);
      building.put("cache.token-file", token.toString());
      indexer = start("dev.socifleet.indexer.Indexer", building);
      Map<String, String> publishing = new HashMap<>(kafka);
      publishing.putAll(registrySettings(host));
      pusher = start("dev.socifleet.pusher.Pusher", publishing);
      registries =
          parts.add(
              HttpRegistries.open(
                  new RegistriesConfig(
                      List.of(RegistryHost.of(host)),
                      _ -> new Credential.Basic("fleet", PASSWORD),
                      "test/1")));
    } catch (IOException | InterruptedException | RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  static Fleet start(Path directory) throws IOException, InterruptedException {
    return new Fleet(directory);
  }

  private static Map<String, String> registrySettings(String host) {
    return Map.of(
        "registry.0.host", host, "registry.0.username", "fleet", "registry.0.password", PASSWORD);
  }

  private ServiceProcess start(String main, Map<String, String> settings)
      throws IOException, InterruptedException {
    return parts.add(ServiceProcess.start(main, settings, directory));
  }

  /** A node with a root of its own; its socket is {@code <root>/node.sock}. */
  ServiceProcess startNode(Path root) throws IOException, InterruptedException {
    Map<String, String> settings = new HashMap<>(registrySettings(registry.host()));
    settings.put("root", root.toString());
    settings.put("socket", root.resolve("node.sock").toString());
    settings.put("cache.members", cacheUrl);
    settings.put("mount-timeout", "3m"); // a layer that takes longer than that isn't lazy
    return start("dev.socifleet.node.SnapshotterNode", settings);
  }

  Repository repository(String name) throws IOException {
    return registries.repository(new RepositoryName(registry.host(), name));
  }

  /** Pushes an image as people do. */
  void push(Path layout, String tag, String name) throws IOException, InterruptedException {
    ContainerdProcess.run(
            List.of(
                "skopeo",
                "copy",
                "--insecure-policy",
                "--dest-tls-verify=false",
                "--dest-creds=fleet:" + PASSWORD,
                "oci:" + layout + ":" + tag,
                "docker://" + registry.host() + "/" + name + ":" + tag))
        .success();
  }

  private Process startBroker() throws IOException, InterruptedException {
    Process started =
        ServiceProcess.run(
            ServiceProcess.command(
                BrokerMain.class.getName(),
                List.of(directory.resolve("kafka").toString(), Integer.toString(kafkaPort)),
                ServiceProcess.temporary(directory)),
            directory.resolve("broker.log"));
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (System.nanoTime() < deadline && started.isAlive()) {
      try (var _ = new Socket(InetAddress.getLoopbackAddress(), kafkaPort)) {
        return started;
      } catch (IOException e) {
        Thread.sleep(100); // not listening yet
      }
    }
    started.destroyForcibly();
    throw new IOException(
        "the broker did not start:\n" + Files.readString(directory.resolve("broker.log")));
  }

  /** What the processes have left of temporary files. */
  List<Path> temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(ServiceProcess.TEMPORARY))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  void killBroker() throws InterruptedException {
    broker.destroyForcibly();
    broker.waitFor();
  }

  void restartBroker() throws IOException, InterruptedException {
    broker = startBroker();
  }

  @Override
  public void close() {
    parts.close();
  }
}
