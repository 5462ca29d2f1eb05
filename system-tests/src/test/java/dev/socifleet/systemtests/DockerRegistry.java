package dev.socifleet.systemtests;

import static org.awaitility.Awaitility.await;

import dev.socifleet.testing.ContainerdProcess;
import dev.socifleet.testing.DockerRegistryProcess;
import dev.socifleet.testing.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The real registry as the fleet has it: with webhooks, a user, and an access log to be read. */
final class DockerRegistry implements AutoCloseable {
  /** NCSA's combined log format, as the registry writes it. */
  private static final Pattern ACCESS =
      Pattern.compile(
          "\\[([^\\]]+)\\] \"(GET|HEAD|PUT|POST|PATCH|DELETE) (\\S+) [^\"]*\" (\\d+) (\\d+)"
              + " \"[^\"]*\" \"([^\"]*)\"");

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ENGLISH);

  /**
   * A request that was answered; bytes are those of the answer's body.
   *
   * @param began in whole seconds
   */
  record Access(
      Instant began, String method, String path, int status, long bytes, String userAgent) {
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
        DockerRegistryProcess.start(directory, FreePort.choose(), login(directory, password)));
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

  String host() {
    return process.host();
  }

  /**
   * A moment that no request so far began at: the next second. Not the number of lines in the log,
   * where a blob's line may still be missing when its reader has the last byte.
   */
  Instant afterAllRequests() {
    Instant next = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
    await().atMost(Duration.ofMinutes(1)).until(() -> !Instant.now().isBefore(next));
    return next;
  }

  /** The requests that began then or later, as far as their answers are noted. */
  List<Access> accesses(Instant since) throws IOException {
    return accesses().stream().filter(access -> !access.began().isBefore(since)).toList();
  }

  /**
   * Every request that was answered so far; the line of a blob that was just read may be missing.
   */
  List<Access> accesses() throws IOException {
    return Files.readAllLines(process.log()).stream()
        .map(ACCESS::matcher)
        .filter(Matcher::find)
        .map(match ->
            new Access(
                Instant.from(TIME.parse(match.group(1))),
                match.group(2),
                match.group(3),
                Integer.parseInt(match.group(4)),
                Long.parseLong(match.group(5)),
                match.group(6)))
        .toList();
  }

  @Override
  public void close() {
    process.close();
  }
}
