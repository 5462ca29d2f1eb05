package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** docker-registry, the CNCF's implementation, as a process on loopback. */
final class RealRegistry implements AutoCloseable {
  /** It chooses the port itself: one chosen for it could be taken when it comes to listen. */
  private static final Pattern LISTENING =
      Pattern.compile("msg=\"listening on (127\\.0\\.0\\.1:\\d+)[,\"]");

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
    Path config = directory.resolve("registry.yml");
    Files.writeString(
        config,
        """
        version: 0.1
        log: {level: info, accesslog: {disabled: true}}
        storage:
          filesystem: {rootdirectory: %s}
          delete: {enabled: true}
        http: {addr: "127.0.0.1:0"%s}
        %s
        """
            .formatted(directory.resolve("storage"), http, more));
    Path log = directory.resolve("registry.log");
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      Matcher listening = LISTENING.matcher(Files.readString(log));
      if (listening.find()) {
        return new RealRegistry(process, listening.group(1));
      }
      Thread.sleep(20);
    }
    process.destroyForcibly();
    throw new IOException("docker-registry did not start: " + Files.readString(log));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
