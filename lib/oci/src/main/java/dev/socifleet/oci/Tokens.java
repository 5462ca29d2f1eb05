package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Bearer tokens of registries: one exchange per (realm, service, scope, credential) however many
 * wait, whether it succeeds or fails; renewed before it expires (Docker registry v2 authentication,
 * "token"). Thread-safe; holds tokens in memory only.
 *
 * <p>An exchange runs on a thread of its own: who asked first may be interrupted, and the others
 * still get their token.
 */
final class Tokens {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int LARGEST_ANSWER = 1 << 20;
  private static final int LONGEST_TOKEN = 64 << 10;
  private static final int MOST_TOKENS = 10_000;
  private static final Duration DEFAULT_LIFE = Duration.ofMinutes(1);
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private record Key(Challenge.Bearer challenge, String scope, Credential credential) {}

  /**
   * @param renewAt by {@link System#nanoTime()}
   */
  private record Token(String value, long renewAt) {
    boolean good() {
      return renewAt - System.nanoTime() > 0;
    }
  }

  /** Guarded by itself. */
  private static final class Slot {
    @Nullable Token token;
    @Nullable CompletableFuture<Token> exchange;

    synchronized boolean idle() {
      Token known = token;
      return exchange == null && (known == null || !known.good());
    }
  }

  private final String userAgent;
  private final Map<Key, Slot> slots = new ConcurrentHashMap<>();

  Tokens(String userAgent) {
    this.userAgent = userAgent;
  }

  /**
   * A token for a challenge, asked for by the client of the host whose challenge it is; {@code
   * rejected} is one that the registry has just refused, or empty.
   */
  String token(
      HttpClient client,
      RepositoryName repository,
      Challenge.Bearer challenge,
      Scope scope,
      Credential credential,
      String rejected)
      throws RegistryException, InterruptedException {
    if (slots.size() > MOST_TOKENS) {
      slots.values().removeIf(Slot::idle);
    }
    if (slots.size() > MOST_TOKENS) {
      slots.clear();
    }
    Key key = new Key(challenge, scope.on(repository), credential);
    Slot slot = slots.computeIfAbsent(key, _ -> new Slot());
    CompletableFuture<Token> exchange;
    synchronized (slot) {
      Token known = slot.token;
      if (known != null && known.good() && !known.value().equals(rejected)) {
        return known.value();
      }
      exchange = slot.exchange;
      if (exchange == null) {
        exchange = new CompletableFuture<>();
        slot.exchange = exchange;
        CompletableFuture<Token> started = exchange;
        Thread.ofVirtual()
            .name("token-exchange")
            .start(() -> run(client, slot, started, repository, key));
      }
    }
    return await(exchange, action(repository, challenge)).value();
  }

  private void run(
      HttpClient client,
      Slot slot,
      CompletableFuture<Token> exchange,
      RepositoryName repository,
      Key key) {
    @Nullable Token token = null;
    Throwable failure = new IllegalStateException("no token");
    try {
      token = exchange(client, action(repository, key.challenge), key);
    } catch (RegistryException | InterruptedException | RuntimeException e) {
      failure = e; // told to everybody who waits
    }
    synchronized (slot) {
      slot.exchange = null;
      if (token != null) {
        slot.token = token;
      }
    }
    if (token != null) {
      exchange.complete(token);
    } else {
      exchange.completeExceptionally(failure);
    }
  }

  private static Token await(CompletableFuture<Token> exchange, String action)
      throws RegistryException, InterruptedException {
    try {
      return exchange.get(2 * TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RegistryException failure) {
        // A new one for each waiter: an exception is one thread's.
        throw new RegistryException(
            String.valueOf(failure.getMessage()),
            failure.status(),
            failure.codes(),
            failure.temporary(),
            failure.retryAfter().orElse(null),
            failure);
      }
      throw failed(action, "the exchange failed: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw failed(action, "no answer", e);
    }
  }

  private static String action(RepositoryName repository, Challenge.Bearer challenge) {
    return "cannot get a token for " + repository + " from " + challenge.realm().getHost();
  }

  private Token exchange(HttpClient client, String action, Key key)
      throws RegistryException, InterruptedException {
    HttpRequest request = request(action, key);
    long asked = System.nanoTime();
    byte[] body;
    try {
      HttpResponse<AnswerBody> response = Exchange.send(client, request, TIMEOUT, TIMEOUT);
      if (response.statusCode() != 200) {
        throw Exchange.failure(action, response);
      }
      try (AnswerBody stream = response.body()) {
        stream.endWithin(TIMEOUT);
        body = stream.readNBytes(LARGEST_ANSWER);
        stream.release(0);
      }
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      throw failed(action, Exchange.said(e), e);
    }
    return read(action, body, asked);
  }

  private HttpRequest request(String action, Key key) throws RegistryException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder()
            .header("User-Agent", userAgent)
            .header("Accept", "application/json");
    URI realm = key.challenge.realm();
    String service = "service=" + encode(key.challenge.service());
    StringBuilder scopes = new StringBuilder();
    for (String scope : key.scope.split(" ")) {
      scopes.append("&scope=").append(encode(scope));
    }
    String query = service + scopes;
    switch (key.credential) {
      case Credential.IdentityToken(String refreshToken) -> {
        String form =
            "grant_type=refresh_token&client_id=soci-fleet&refresh_token="
                + encode(refreshToken)
                + "&"
                + service
                + "&scope="
                + encode(key.scope); // one field here: OAuth2 separates by spaces
        request
            .uri(realm)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form));
      }
      case Credential.Basic(String user, String password) ->
          request.uri(withQuery(realm, query)).header("Authorization", basic(user, password)).GET();
      case Credential.Anonymous() -> request.uri(withQuery(realm, query)).GET();
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
        request.uri(withQuery(realm, query)).header("Authorization", header).GET();
      }
    }
    return request.build();
  }

  /** No exception here shows the answer: what can't be read as JSON may be a token all the same. */
  private static Token read(String action, byte[] body, long asked) throws RegistryException {
    JsonNode answer;
    try {
      answer = JSON.readTree(body);
    } catch (IOException e) {
      throw failed(action, "the answer isn't JSON", null);
    }
    String token = answer.path("token").asText(answer.path("access_token").asText(""));
    if (token.isEmpty()
        || token.length() > LONGEST_TOKEN
        || !token.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
      throw failed(action, "the answer holds no token", null);
    }
    long seconds =
        Math.clamp(answer.path("expires_in").asLong(DEFAULT_LIFE.toSeconds()), 1, 86_400);
    // Renewed when a tenth of its life is left: a request that starts with it must still end with
    // it.
    return new Token(token, asked + TimeUnit.MILLISECONDS.toNanos(seconds * 900));
  }

  private static RegistryException failed(String action, String why, @Nullable Exception cause) {
    return new RegistryException(action + ": " + why, 0, List.of(), true, null, cause);
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
