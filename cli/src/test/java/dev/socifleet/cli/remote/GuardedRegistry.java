package dev.socifleet.cli.remote;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * A registry in front of another one, which asks who its clients are: over TLS, with a certificate
 * of theirs; by {@code user:secret}; or by a token, which is given for that or for the refresh
 * token {@link #REFRESH}.
 */
final class GuardedRegistry implements AutoCloseable {
  /** How clients log in. */
  enum Login {
    BASIC,
    TOKEN
  }

  static final String USER = "user:secret";
  static final String REFRESH = "refresh-me";

  private static final String BEARER = "Bearer ";

  /** How long a token is good, as it says, in seconds. */
  private static final int TOKEN_LIFE = 3600;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final RegistryBehind behind;
  private final Login login;
  private final Set<String> tokens = ConcurrentHashMap.newKeySet();
  private final Set<String> scopes = ConcurrentHashMap.newKeySet();
  private final Set<String> firstTokens = ConcurrentHashMap.newKeySet();
  private final AtomicInteger tokenCount = new AtomicInteger();
  private final AtomicInteger endedCount = new AtomicInteger();
  private volatile boolean outlivesTokens;

  private GuardedRegistry(HttpServer server, String behind, Login login) {
    this.server = server;
    this.behind = new RegistryBehind(behind);
    this.login = login;
    server.setExecutor(threads);
    server.createContext("/v2/", this::registry);
    server.createContext("/token", this::token);
    server.start();
  }

  /**
   * Over TLS, for clients that show a certificate.
   *
   * @param behind host and port of the registry that answers
   */
  static GuardedRegistry overTls(SSLContext context, String behind, Login login)
      throws IOException {
    HttpsServer server = HttpsServer.create(loopback(), 0);
    server.setHttpsConfigurator(
        new HttpsConfigurator(context) {
          @Override
          public void configure(HttpsParameters parameters) {
            SSLParameters ssl = context.getDefaultSSLParameters();
            ssl.setNeedClientAuth(true);
            parameters.setSSLParameters(ssl);
          }
        });
    return new GuardedRegistry(server, behind, login);
  }

  /** Without TLS. */
  static GuardedRegistry plain(String behind, Login login) throws IOException {
    return new GuardedRegistry(HttpServer.create(loopback(), 0), behind, login);
  }

  private static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  int port() {
    return server.getAddress().getPort();
  }

  String host() {
    return "127.0.0.1:" + port();
  }

  /**
   * From now on the first token of each scope ends, whatever it said, with the first blob that is
   * asked by it. Only the first: requests that run beside each other and were refused may be given
   * the same one, and aren't refused twice.
   */
  void outliveTokens() {
    outlivesTokens = true;
  }

  /** How many requests came with a token that was good before. */
  int endedTokens() {
    return endedCount.get();
  }

  /** How many tokens it has given. */
  int tokens() {
    return tokenCount.get();
  }

  private void registry(HttpExchange call) throws IOException {
    String said = call.getRequestHeaders().getFirst("Authorization");
    if (!allows(said == null ? "" : said)) {
      call.getRequestBody().readAllBytes();
      if (said != null && said.startsWith(BEARER)) {
        endedCount.incrementAndGet();
      }
      call.getResponseHeaders().add("WWW-Authenticate", challenge());
      RegistryBehind.answer(call, 401, new byte[0]);
      return;
    }
    HttpResponse<byte[]> response = behind.ask(call);
    if (outlivesTokens && call.getRequestURI().getPath().contains("/blobs/sha256:")) {
      endIfFirst(said);
    }
    RegistryBehind.answer(call, response.statusCode(), response.body());
  }

  private String challenge() {
    return switch (login) {
      case BASIC -> "Basic realm=\"test\"";
      case TOKEN -> {
        String scheme = server instanceof HttpsServer ? "https" : "http";
        yield "Bearer realm=\"%s://%s/token\",service=\"test\"".formatted(scheme, host());
      }
    };
  }

  private boolean allows(String authorization) {
    return switch (login) {
      case BASIC -> authorization.equals(basic());
      case TOKEN -> tokens.contains(authorization);
    };
  }

  private void endIfFirst(String authorization) {
    if (firstTokens.contains(authorization)) {
      tokens.remove(authorization);
    }
  }

  private static String basic() {
    return "Basic " + Base64.getEncoder().encodeToString(USER.getBytes(StandardCharsets.UTF_8));
  }

  private void token(HttpExchange call) throws IOException {
    String form = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    boolean known =
        List.of(form.split("&", -1)).contains("refresh_token=" + REFRESH)
            || basic().equals(call.getRequestHeaders().getFirst("Authorization"));
    String token = "token-" + tokenCount.incrementAndGet();
    if (known) {
      if (scopes.add(form + call.getRequestURI().getQuery())) {
        firstTokens.add(BEARER + token);
      }
      tokens.add(BEARER + token);
    }
    String json =
        "{\"access_token\":\"%1$s\",\"token\":\"%1$s\",\"expires_in\":%2$d}"
            .formatted(token, TOKEN_LIFE);
    RegistryBehind.answer(
        call, known ? 200 : 401, (known ? json : "{}").getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
    behind.close();
  }
}
