package dev.socifleet.systemtests;

import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.DockerRegistryProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The real registry as the fleet has it: with webhooks, a user, and an access log to be read. */
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

  private final DockerRegistryProcess process;

  private DockerRegistry(DockerRegistryProcess process) {
    this.process = process;
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
    return new DockerRegistry(
        DockerRegistryProcess.start(directory, port, login(directory, password) + notifications));
  }

  /**
   * One that tells nobody of pushes.
   *
   * @param password of the only user, {@code fleet}; null lets everybody in
   */
  static DockerRegistry startQuiet(Path directory, @Nullable String password)
      throws IOException, InterruptedException {
    return new DockerRegistry(
        DockerRegistryProcess.start(directory, freePort(), login(directory, password)));
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

  static int freePort() throws IOException {
    return DockerRegistryProcess.freePort();
  }

  String host() {
    return process.host();
  }

  /** Every request that was answered so far. */
  List<Access> accesses() throws IOException {
    return Files.readAllLines(process.log()).stream()
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
    process.close();
  }
}
