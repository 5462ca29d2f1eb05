package dev.socifleet.cli.remote;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * Reads of a registry, over TLS, for clients that show their certificate and a token; the token is
 * given for the refresh token {@link #REFRESH} only.
 */
final class GuardedRegistry implements AutoCloseable {
  static final String REFRESH = "refresh-me";
  private static final String TOKEN = "a-token";

  private final HttpsServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client = HttpClient.newHttpClient();
  private final String behind;

  /**
   * @param behind host and port of the registry that answers
   */
  GuardedRegistry(SSLContext context, String behind) throws IOException {
    this.behind = behind;
    server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(
        new HttpsConfigurator(context) {
          @Override
          public void configure(HttpsParameters parameters) {
            SSLParameters ssl = context.getDefaultSSLParameters();
            ssl.setNeedClientAuth(true);
            parameters.setSSLParameters(ssl);
          }
        });
    server.setExecutor(threads);
    server.createContext("/v2/", this::registry);
    server.createContext("/token", this::token);
    server.start();
  }

  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private void registry(HttpExchange call) throws IOException {
    String wanted = "Bearer " + TOKEN;
    if (!wanted.equals(call.getRequestHeaders().getFirst("Authorization"))) {
      call.getResponseHeaders()
          .add(
              "WWW-Authenticate",
              "Bearer realm=\"https://%s/token\",service=\"test\"".formatted(host()));
      answer(call, 401, new byte[0]);
      return;
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + behind + call.getRequestURI()))
            .method(call.getRequestMethod(), HttpRequest.BodyPublishers.noBody());
    call.getRequestHeaders()
        .getOrDefault("Accept", List.of())
        .forEach(v -> request.header("Accept", v));
    try {
      HttpResponse<byte[]> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
      for (String name : List.of("Content-Type", "Docker-Content-Digest", "Content-Length")) {
        response.headers().firstValue(name).ifPresent(v -> call.getResponseHeaders().set(name, v));
      }
      answer(call, response.statusCode(), response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void token(HttpExchange call) throws IOException {
    String form = new String(call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    boolean known = List.of(form.split("&", -1)).contains("refresh_token=" + REFRESH);
    String token = "{\"access_token\":\"" + TOKEN + "\"}";
    answer(call, known ? 200 : 401, (known ? token : "{}").getBytes(StandardCharsets.UTF_8));
  }

  private static void answer(HttpExchange call, int status, byte[] body) throws IOException {
    call.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    try (OutputStream out = call.getResponseBody()) {
      out.write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
    client.close();
  }
}
