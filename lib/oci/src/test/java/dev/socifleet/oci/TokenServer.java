package dev.socifleet.oci;

import dev.socifleet.oci.WireServer.Call;
import dev.socifleet.oci.WireServer.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * Hands out tokens of a short life for scopes (Docker registry v2 authentication, "token" and
 * "oauth"): to {@code user:secret}, to the holder of the refresh token {@code refresh}, and to
 * everybody for {@code pull} where anonymous access is on. Refuses a form that isn't specified.
 */
final class TokenServer implements AutoCloseable {
  static final Credential USER = new Credential.Basic("user", "secret");
  static final Credential REFRESH = new Credential.IdentityToken("refresh");
  private static final String SERVICE = "strict registry";

  private record Grant(Set<String> scopes, long until) {}

  private final WireServer server;
  private final Map<String, Grant> grants = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  volatile Duration life = Duration.ofMinutes(5);
  volatile boolean anonymous;
  volatile Duration delay = Duration.ZERO;

  TokenServer() throws IOException {
    server = WireServer.start(this::answer);
  }

  WireServer server() {
    return server;
  }

  String challenge(String scope) {
    return "Bearer realm=\"%s/token\",service=\"%s\",scope=\"%s\""
        .formatted(server.url(), SERVICE, scope);
  }

  /** How often it was asked. */
  int exchanges() {
    return server.calls().size();
  }

  /** No token that is out is good any more. */
  void revokeAll() {
    grants.clear();
  }

  boolean allows(String authorization, String repository, String action) {
    if (!authorization.startsWith("Bearer ")) {
      return false;
    }
    Grant grant = grants.get(authorization.substring("Bearer ".length()));
    return grant != null
        && grant.until - System.nanoTime() > 0
        && grant.scopes.contains(repository + ":" + action);
  }

  private Reply answer(Call call) {
    Map<String, String> asked =
        switch (call.method()) {
          case "GET" -> call.query();
          case "POST" -> WireServer.parameters(new String(call.body(), StandardCharsets.UTF_8));
          default -> Map.of();
        };
    if (!call.path().equals("/token") || !SERVICE.equals(asked.get("service"))) {
      return Reply.error(400, "BAD", "not a token request");
    }
    boolean known;
    if (call.method().equals("POST")) {
      if (!"refresh_token".equals(asked.get("grant_type")) || !asked.containsKey("client_id")) {
        return Reply.error(400, "BAD", "not an OAuth2 request");
      }
      known = "refresh".equals(asked.get("refresh_token"));
    } else {
      String basic =
          "Basic "
              + Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.UTF_8));
      known = call.header("Authorization").filter(basic::equals).isPresent();
      if (!known && call.header("Authorization").isPresent()) {
        return Reply.error(401, "UNAUTHORIZED", "wrong password");
      }
    }
    if (!known && !anonymous) {
      return Reply.error(401, "UNAUTHORIZED", "log in first");
    }
    try {
      Thread.sleep(delay);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Set<String> granted =
        Arrays.stream(asked.getOrDefault("scope", "").split(" "))
            .flatMap(TokenServer::actions)
            .filter(scope -> known || scope.endsWith(":pull"))
            .collect(Collectors.toSet());
    String token = "token-" + count.incrementAndGet();
    grants.put(token, new Grant(granted, System.nanoTime() + life.toNanos()));
    String name = call.method().equals("POST") ? "access_token" : "token";
    String json = "{\"%s\":\"%s\",\"expires_in\":%d}".formatted(name, token, life.toSeconds());
    return Reply.of(200, "application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  /** {@code repository:name:a,b} as {@code name:a}, {@code name:b}. */
  private static java.util.stream.Stream<String> actions(String scope) {
    List<String> parts = List.of(scope.split(":"));
    return parts.size() != 3 || !parts.getFirst().equals("repository")
        ? java.util.stream.Stream.of()
        : Arrays.stream(parts.get(2).split(",")).map(action -> parts.get(1) + ":" + action);
  }

  @Override
  public void close() {
    server.close();
  }
}
