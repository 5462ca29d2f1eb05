package dev.socifleet.systemtests;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The real registry, docker-registry, as a process on loopback. */
final class DockerRegistry implements AutoCloseable {
  private final Process process;
  private final int port;

  private DockerRegistry(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static DockerRegistry start(Path directory, int port, String webhook, String authorization)
      throws IOException, InterruptedException {
    return start(
        directory,
        port,
        """
        notifications:
          endpoints:
            - name: ingest
              url: %s
              headers: {Authorization: ["%s"]}
              timeout: 5s
              threshold: 3
              backoff: 500ms
        """
            .formatted(webhook, authorization));
  }

  /** One that tells nobody. */
  static DockerRegistry start(Path directory) throws IOException, InterruptedException {
    return start(directory, freePort(), "");
  }

  /** One that asks for a login. */
  static DockerRegistry startWithLogin(Path directory, String htpasswd)
      throws IOException, InterruptedException {
    Path users = directory.resolve("htpasswd");
    Files.writeString(users, htpasswd + "\n");
    return start(
        directory, freePort(), "auth: {htpasswd: {realm: test, path: \"%s\"}}\n".formatted(users));
  }

  private static DockerRegistry start(Path directory, int port, String more)
      throws IOException, InterruptedException {
    Path config = directory.resolve("registry.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: warn}
        storage:
          filesystem: {rootdirectory: %s}
          delete: {enabled: true}
        http: {addr: "127.0.0.1:%d"}
        """
                .formatted(directory.resolve("storage"), port)
            + more);
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("registry.log").toFile())
            .start();
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return new DockerRegistry(process, port);
      } catch (IOException e) {
        Thread.sleep(100); // not listening yet
      }
    }
    process.destroyForcibly();
    throw new IOException(
        "docker-registry did not start: " + Files.readString(directory.resolve("registry.log")));
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  String host() {
    return "127.0.0.1:" + port;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
