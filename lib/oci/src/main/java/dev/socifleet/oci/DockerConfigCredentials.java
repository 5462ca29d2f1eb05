package dev.socifleet.oci;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Docker's configuration file: {@code auths}, {@code credHelpers}, {@code credsStore}. Read at
 * every use, so a login takes effect at once; a helper is run as its own process with a deadline.
 * Thread-safe.
 */
public final class DockerConfigCredentials implements Credentials {
  private static final Logger LOG = LoggerFactory.getLogger(DockerConfigCredentials.class);
  private static final JsonMapper JSON = new JsonMapper();
  private static final int LARGEST_FILE = 4 << 20;
  private static final int LARGEST_ANSWER = 1 << 20;
  private static final long HELPER_SECONDS = 20;

  private final Path file;
  private final List<Path> programs;

  public DockerConfigCredentials(Path file) {
    this(file, programDirectories());
  }

  /**
   * @param programs where credential helpers are looked for
   */
  DockerConfigCredentials(Path file, List<Path> programs) {
    this.file = file;
    this.programs = List.copyOf(programs);
  }

  private static List<Path> programDirectories() {
    String path = System.getenv("PATH");
    return path == null
        ? List.of()
        : Arrays.stream(path.split(":", -1)).filter(d -> d.startsWith("/")).map(Path::of).toList();
  }

  /** {@code $DOCKER_CONFIG/config.json}, else {@code ~/.docker/config.json}. */
  public static DockerConfigCredentials standard() {
    String directory = System.getenv("DOCKER_CONFIG");
    Path home = Path.of(System.getProperty("user.home"), ".docker");
    return new DockerConfigCredentials(
        (directory == null ? home : Path.of(directory)).resolve("config.json"));
  }

  @Override
  public Credential of(RepositoryName repository) {
    try {
      if (!Files.isReadable(file) || Files.size(file) > LARGEST_FILE) {
        return new Credential.Anonymous();
      }
      JsonNode config = JSON.readTree(file.toFile());
      for (String key : keys(repository.registry())) {
        Optional<Credential> found = lookUp(config, key);
        if (found.isPresent()) {
          return found.get();
        }
      }
    } catch (JsonProcessingException e) {
      // Not the parser's message: it would show what stands there.
      LOG.warn("{} isn't JSON{}; going on without credentials", file, where(e));
    } catch (IOException e) {
      LOG.warn("cannot read {}: {}; going on without credentials", file, e.toString());
    }
    return new Credential.Anonymous();
  }

  private static List<String> keys(String registry) {
    return registry.equals("docker.io")
        ? List.of("https://index.docker.io/v1/", "index.docker.io", "docker.io")
        : List.of(
            registry, "https://" + registry, "http://" + registry, "https://" + registry + "/v1/");
  }

  private static String where(JsonProcessingException e) {
    return e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
  }

  private Optional<Credential> lookUp(JsonNode config, String key) {
    String helper = config.path("credHelpers").path(key).asText("");
    if (helper.isEmpty()) {
      helper = config.path("credsStore").asText("");
    }
    if (!helper.isEmpty()) {
      Optional<Credential> answer = ask(helper, key);
      if (answer.isPresent()) {
        return answer;
      }
    }
    JsonNode auth = config.path("auths").path(key);
    String identity = auth.path("identitytoken").asText("");
    if (!identity.isEmpty()) {
      return Optional.of(new Credential.IdentityToken(identity));
    }
    String user = auth.path("username").asText("");
    String password = auth.path("password").asText("");
    String joined = auth.path("auth").asText("");
    if (!joined.isEmpty()) {
      try {
        String decoded =
            new String(Base64.getDecoder().decode(joined.strip()), StandardCharsets.UTF_8);
        int colon = decoded.indexOf(':');
        if (colon > 0) {
          user = decoded.substring(0, colon);
          password = decoded.substring(colon + 1);
        }
      } catch (IllegalArgumentException e) {
        LOG.warn("the entry for {} in Docker's configuration isn't base64", key);
      }
    }
    return user.isEmpty() ? Optional.empty() : Optional.of(new Credential.Basic(user, password));
  }

  private Optional<Credential> ask(String helper, String key) {
    String name = "docker-credential-" + helper;
    if (!helper.matches("[A-Za-z0-9._-]+")) {
      LOG.warn("not a credential helper's name: '{}'", helper);
      return Optional.empty();
    }
    Optional<Path> program =
        programs.stream().map(d -> d.resolve(name)).filter(Files::isExecutable).findFirst();
    if (program.isEmpty()) {
      LOG.warn("credential helper {} is configured and not installed", name);
      return Optional.empty();
    }
    try {
      return parse(run(program.get(), key));
    } catch (JsonProcessingException e) {
      LOG.warn("credential helper {} answered something that isn't JSON", name);
    } catch (IOException e) {
      LOG.warn("credential helper {} failed: {}", name, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Optional.empty();
  }

  /** What the helper prints for the key; nothing where it fails, which means that it has none. */
  private static byte[] run(Path program, String key) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(program.toString(), "get")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> talk(process, key, answer));
      byte[] bytes = answer.get(HELPER_SECONDS, TimeUnit.SECONDS);
      boolean ended = process.waitFor(HELPER_SECONDS, TimeUnit.SECONDS);
      return ended && process.exitValue() == 0 ? bytes : new byte[0];
    } catch (ExecutionException e) {
      throw new IOException("its answer can't be read: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IOException("no answer for " + HELPER_SECONDS + " s", e);
    } finally {
      // With what it may have left running: that would hold its output open.
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static void talk(Process process, String key, CompletableFuture<byte[]> answer) {
    try {
      try (OutputStream to = process.getOutputStream()) {
        to.write(key.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        LOG.trace("the helper doesn't read what is asked: {}", e.getMessage());
      }
      byte[] bytes = process.getInputStream().readNBytes(LARGEST_ANSWER + 1);
      if (bytes.length > LARGEST_ANSWER) {
        throw new IOException("longer than " + LARGEST_ANSWER + " bytes");
      }
      answer.complete(bytes);
    } catch (IOException e) {
      answer.completeExceptionally(e);
    }
  }

  private static Optional<Credential> parse(byte[] answer) throws IOException {
    JsonNode credential = JSON.readTree(answer);
    String user = credential.path("Username").asText("");
    String secret = credential.path("Secret").asText("");
    if (secret.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        user.equals("<token>")
            ? new Credential.IdentityToken(secret)
            : new Credential.Basic(user, secret));
  }
}
