package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
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
  private static final long HELPER_SECONDS = 20;

  private final Path file;

  public DockerConfigCredentials(Path file) {
    this.file = file;
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
    } catch (IOException e) {
      LOG.warn("cannot read {}: {}; going on without credentials", file, e.getMessage());
    }
    return new Credential.Anonymous();
  }

  private static List<String> keys(String registry) {
    return registry.equals("docker.io")
        ? List.of("https://index.docker.io/v1/", "index.docker.io", "docker.io")
        : List.of(
            registry, "https://" + registry, "http://" + registry, "https://" + registry + "/v1/");
  }

  private static Optional<Credential> lookUp(JsonNode config, String key) {
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

  private static Optional<Credential> ask(String helper, String key) {
    if (!helper.matches("[A-Za-z0-9._-]+")) {
      LOG.warn("not a credential helper's name: '{}'", helper);
      return Optional.empty();
    }
    Process process = null;
    try {
      process =
          new ProcessBuilder("docker-credential-" + helper, "get")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (OutputStream to = process.getOutputStream()) {
        to.write(key.getBytes(StandardCharsets.UTF_8));
      }
      Process running = process;
      Thread.ofVirtual()
          .start(() -> {
            try {
              if (!running.waitFor(HELPER_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly();
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      byte[] answer = process.getInputStream().readNBytes(1 << 20);
      if (process.waitFor() != 0) {
        return Optional.empty();
      }
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
    } catch (IOException e) {
      LOG.warn("credential helper docker-credential-{} failed: {}", helper, e.getMessage());
      return Optional.empty();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
