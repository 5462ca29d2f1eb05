package dev.socifleet.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Debian's docker-registry on loopback, with its state in a directory. */
public final class DockerRegistryProcess implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/usr/bin/docker-registry");
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final Process process;
  private final int port;
  private final Path log;

  private DockerRegistryProcess(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
  }

  /** One that is open to everybody, on a free port. */
  public static DockerRegistryProcess start(Path directory)
      throws IOException, InterruptedException {
    return start(directory, FreePort.choose(), "");
  }

  /**
   * @param more sections of its configuration, in YAML
   */
  public static DockerRegistryProcess start(Path directory, int port, String more)
      throws IOException, InterruptedException {
    Path config = directory.resolve("registry.yml");
    Path log = directory.resolve("registry.log");
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
        new ProcessBuilder(PROGRAM.toString(), "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return new DockerRegistryProcess(process, port, log);
      } catch (IOException e) {
        Thread.sleep(50); // not listening yet
      }
    }
    process.destroyForcibly();
    throw new IOException("docker-registry did not start: " + Files.readString(log));
  }

  /** How references name it. */
  public String host() {
    return "127.0.0.1:" + port;
  }

  /** What it wrote, its answers among it, in NCSA's combined log format. */
  public Path log() {
    return log;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(); // its directory may be deleted from now on
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
