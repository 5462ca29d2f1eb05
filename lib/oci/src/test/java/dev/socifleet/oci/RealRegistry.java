package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** docker-registry, the CNCF's implementation, as a process on loopback. */
final class RealRegistry implements AutoCloseable {
  private final Process process;
  final String host;

  private RealRegistry(Process process, String host) {
    this.process = process;
    this.host = host;
  }

  /** Skips the test where it isn't installed, except under CI. */
  static void assumeInstalled() {
    boolean there = Files.isExecutable(Path.of("/usr/bin/docker-registry"));
    assertThat(there || !"true".equals(System.getenv("CI")))
        .as("docker-registry is installed under CI")
        .isTrue();
    assumeTrue(there, "docker-registry isn't installed");
  }

  /**
   * @param http more of the configuration's {@code http} section, in YAML's flow style
   * @param more more sections
   */
  static RealRegistry start(Path directory, String http, String more)
      throws IOException, InterruptedException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Path config = directory.resolve("registry.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: warn}
        storage:
          filesystem: {rootdirectory: %s}
          delete: {enabled: true}
        http: {addr: "127.0.0.1:%d"%s}
        %s
        """
            .formatted(directory.resolve("storage"), port, http, more));
    Path log = directory.resolve("registry.log");
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assertThat(socket.isConnected()).isTrue();
        return new RealRegistry(process, "127.0.0.1:" + port);
      } catch (IOException e) {
        Thread.sleep(100); // not listening yet
      }
    }
    process.destroyForcibly();
    throw new IOException("docker-registry did not start: " + Files.readString(log));
  }

  @Override
  public void close() {
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
