package dev.socifleet.systemtests;

import dev.socifleet.testing.ContainerdProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The real registry, docker-registry, as a process on loopback. */
final class DockerRegistry implements AutoCloseable {
  /** NCSA's combined log format, as the registry writes it. */
  private static final Pattern ACCESS =
      Pattern.compile(
          "\"(GET|HEAD|PUT|POST|PATCH|DELETE) (\\S+) [^\"]*\" (\\d+) (\\d+) \"[^\"]*\" \"([^\"]*)\"");

  /** A request that was answered; bytes are those of the answer's body. */
  record Access(String method, String path, int status, long bytes, String userAgent) {
    boolean isBlob() {
      return path.contains("/blobs/sha256:");
    }
  }

  private final Process process;
  private final int port;
  private final Path log;

  private DockerRegistry(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
  }

  static DockerRegistry start(Path directory, int port, String webhook, String authorization)
      throws IOException, InterruptedException {
    return start(directory, port, webhook, authorization, null);
  }

  /**
   * @param password of the only user, {@code fleet}; null lets everybody in
   */
  static DockerRegistry start(
      Path directory, int port, String webhook, String authorization, @Nullable String password)
      throws IOException, InterruptedException {
    String notifications =
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
            .formatted(webhook, authorization);
    return start(directory, port, login(directory, password) + notifications);
  }

  /**
   * One that tells nobody of pushes.
   *
   * @param password of the only user, {@code fleet}; null lets everybody in
   */
  static DockerRegistry startQuiet(Path directory, @Nullable String password)
      throws IOException, InterruptedException {
    return start(directory, freePort(), login(directory, password));
  }

  private static String login(Path directory, @Nullable String password)
      throws IOException, InterruptedException {
    if (password == null) {
      return "";
    }
    Path users = directory.resolve("htpasswd");
    Files.writeString(
        users, ContainerdProcess.run(List.of("htpasswd", "-Bbn", "fleet", password)).success());
    return "auth: {htpasswd: {realm: test, path: %s}}\n".formatted(users);
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
    Path log = directory.resolve("registry.log");
    Process process =
        new ProcessBuilder("docker-registry", "serve", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (System.nanoTime() < deadline && process.isAlive()) {
      try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return new DockerRegistry(process, port, log);
      } catch (IOException e) {
        Thread.sleep(100); // not listening yet
      }
    }
    process.destroyForcibly();
    throw new IOException("docker-registry did not start: " + Files.readString(log));
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  String host() {
    return "127.0.0.1:" + port;
  }

  /** Every request that was answered so far. */
  List<Access> accesses() throws IOException {
    return Files.readAllLines(log).stream()
        .map(ACCESS::matcher)
        .filter(Matcher::find)
        .map(match ->
            new Access(
                match.group(1),
                match.group(2),
                Integer.parseInt(match.group(3)),
                Long.parseLong(match.group(4)),
                match.group(5)))
        .toList();
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
