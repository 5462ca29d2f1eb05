package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bearer tokens of registries: one exchange per (realm, service, scope, credential) however many
 * wait, renewed before it expires (Docker registry v2 authentication, "token"). Thread-safe; holds
 * tokens in memory only.
 */
final class Tokens {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int LARGEST_ANSWER = 1 << 20;
  private static final int MOST_TOKENS = 10_000;
  private static final Duration DEFAULT_LIFE = Duration.ofSeconds(60);
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private record Key(URI realm, String service, String scope, Credential credential) {}

  private record Token(String value, Instant renewAt) {}

  /** One exchange at a time for a key; the others wait for its result. */
  private static final class Slot {
    final ReentrantLock lock = new ReentrantLock();
    volatile Token token = new Token("", Instant.EPOCH);
  }

  private final HttpClient client;
  private final String userAgent;
  private final Map<Key, Slot> slots = new ConcurrentHashMap<>();

  Tokens(HttpClient client, String userAgent) {
    this.client = client;
    this.userAgent = userAgent;
  }

  /**
   * A token for a challenge; {@code rejected} is one that the registry has just refused, or empty.
   */
  String token(
      RepositoryName repository, Challenge.Bearer challenge, Credential credential, String rejected)
      throws RegistryException, InterruptedException {
    if (slots.size() > MOST_TOKENS) {
      slots.clear();
    }
    Key key = new Key(challenge.realm(), challenge.service(), challenge.scope(), credential);
    Slot slot = slots.computeIfAbsent(key, _ -> new Slot());
    Token known = slot.token;
    if (known.renewAt().isAfter(Instant.now()) && !known.value().equals(rejected)) {
      return known.value();
    }
    slot.lock.lockInterruptibly();
    try {
      known = slot.token;
      if (!known.renewAt().isAfter(Instant.now()) || known.value().equals(rejected)) {
        known = exchange(repository, challenge, credential);
        slot.token = known;
      }
      return known.value();
    } finally {
      slot.lock.unlock();
    }
  }

  private Token exchange(
      RepositoryName repository, Challenge.Bearer challenge, Credential credential)
      throws RegistryException, InterruptedException {
    String action = "cannot get a token for " + repository + " from " + challenge.realm().getHost();
    HttpRequest.Builder request =
        HttpRequest.newBuilder()
            .timeout(TIMEOUT)
            .header("User-Agent", userAgent)
            .header("Accept", "application/json");
    String query = "service=" + encode(challenge.service()) + "&scope=" + encode(challenge.scope());
    switch (credential) {
      case Credential.IdentityToken(String refreshToken) -> {
        String form =
            "grant_type=refresh_token&client_id=soci-fleet&refresh_token="
                + encode(refreshToken)
                + "&"
                + query;
        request
            .uri(challenge.realm())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form));
      }
      case Credential.Basic(String user, String password) ->
          request
              .uri(withQuery(challenge.realm(), query))
              .header("Authorization", basic(user, password))
              .GET();
      case Credential.Anonymous() -> request.uri(withQuery(challenge.realm(), query)).GET();
      case Credential.Authorization(String header) -> {
        // A basic header may be exchanged for a token; a bearer one is what an exchange would give.
        if (!header.regionMatches(true, 0, "Basic ", 0, 6)) {
          throw new RegistryException(
              action + ": the caller's token was refused",
              401,
              List.of("UNAUTHORIZED"),
              false,
              null,
              null);
        }
        request.uri(withQuery(challenge.realm(), query)).header("Authorization", header).GET();
      }
    }
    try {
      HttpResponse<InputStream> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      byte[] body;
      try (InputStream stream = response.body()) {
        body = stream.readNBytes(LARGEST_ANSWER);
      }
      if (response.statusCode() != 200) {
        throw RegistryHttp.failure(action, response, body);
      }
      JsonNode answer = JSON.readTree(body);
      String token = answer.path("token").asText(answer.path("access_token").asText(""));
      if (token.isEmpty() || !token.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
        throw new RegistryException(
            action + ": the answer holds no token", 0, List.of(), true, null, null);
      }
      long seconds =
          Math.clamp(answer.path("expires_in").asLong(DEFAULT_LIFE.toSeconds()), 1, 86_400);
      // Renewed when a tenth of its life is left: a request that starts with it must still end with
      // it.
      return new Token(token, Instant.now().plusMillis(seconds * 900));
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      throw new RegistryException(action + ": " + e, 0, List.of(), true, null, e);
    }
  }

  static String basic(String user, String password) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  private static URI withQuery(URI realm, String query) {
    String text = realm.toString();
    return URI.create(text + (text.contains("?") ? "&" : "?") + query);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
