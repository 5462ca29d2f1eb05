package dev.socifleet.service;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A service's admin port: {@code /healthz} (200 while the process answers), {@code /readyz} (200,
 * or 503 with the reasons in JSON), {@code /metrics} (Prometheus). On an address that isn't
 * loopback, {@code /metrics} asks for the fleet token and the reasons are left out without it.
 */
public final class AdminServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
  private static final JsonMapper JSON = new JsonMapper();
  private static final long START_SECONDS = 60;
  private static final long STOP_SECONDS = 5;

  private final Vertx vertx;
  private final Metrics metrics;
  private final Readiness readiness;
  private final @Nullable FleetToken token;
  private int port;

  private AdminServer(
      Vertx vertx, Metrics metrics, Readiness readiness, @Nullable FleetToken token) {
    this.vertx = vertx;
    this.metrics = metrics;
    this.readiness = readiness;
    this.token = token;
  }

  /** Serves on a loopback address; another one is refused, for there is no token to ask for. */
  public static AdminServer start(InetSocketAddress address, Metrics metrics, Readiness readiness)
      throws IOException {
    return start(address, metrics, readiness, null);
  }

  /**
   * @param token what callers present on an address that isn't loopback; null allows loopback only
   */
  public static AdminServer start(
      InetSocketAddress address, Metrics metrics, Readiness readiness, @Nullable FleetToken token)
      throws IOException {
    String shown = address.getHostString() + ":" + address.getPort();
    boolean loopback = InetAddress.getByName(address.getHostString()).isLoopbackAddress();
    if (!loopback && token == null) {
      throw new IOException(
          "cannot open the admin port on "
              + shown
              + ": not a loopback address, and there is no fleet token to ask for");
    }
    Vertx vertx =
        Vertx.vertx(
            new VertxOptions()
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setFileCachingEnabled(false)
                        .setClassPathResolvingEnabled(false)));
    AdminServer server = new AdminServer(vertx, metrics, readiness, loopback ? null : token);
    try {
      HttpServer http =
          vertx
              .createHttpServer(
                  new HttpServerOptions()
                      .setHost(address.getHostString())
                      .setPort(address.getPort())
                      .setIdleTimeout(60))
              .requestHandler(server::answer)
              .listen()
              .toCompletionStage()
              .toCompletableFuture()
              .get(START_SECONDS, TimeUnit.SECONDS);
      server.port = http.actualPort();
      return server;
    } catch (ExecutionException | TimeoutException e) {
      server.close();
      Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
      throw new IOException("cannot open the admin port on " + shown + ": " + cause, cause);
    } catch (InterruptedException e) {
      server.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening the admin port on " + shown, e);
    }
  }

  /** The port that it listens on. */
  public int port() {
    return port;
  }

  private void answer(HttpServerRequest request) {
    if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
      request.response().setStatusCode(405).putHeader("Allow", "GET, HEAD").end();
      return;
    }
    boolean admitted = token == null || token.admits(request.getHeader("Authorization"));
    switch (request.path()) {
      case "/healthz" -> text(request, 200, "text/plain; charset=utf-8", "ok\n");
      case "/readyz" -> readyz(request, admitted);
      case "/metrics" -> {
        if (admitted) {
          text(request, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape());
        } else {
          request.response().putHeader("WWW-Authenticate", "Bearer");
          text(request, 401, "text/plain; charset=utf-8", "the fleet token is needed\n");
        }
      }
      case null, default -> text(request, 404, "text/plain; charset=utf-8", "no such page\n");
    }
  }

  private void readyz(HttpServerRequest request, boolean admitted) {
    Map<String, String> unmet = readiness.unmet();
    ObjectNode body = JSON.createObjectNode().put("ready", unmet.isEmpty());
    if (admitted && !unmet.isEmpty()) {
      ObjectNode why = body.putObject("why");
      unmet.forEach(why::put);
    }
    try {
      String json = JSON.writeValueAsString(body) + "\n";
      text(request, unmet.isEmpty() ? 200 : 503, "application/json", json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
  }

  private static void text(HttpServerRequest request, int status, String type, String body) {
    request.response().setStatusCode(status).putHeader("Content-Type", type).end(body);
  }

  @Override
  public void close() {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the admin port did not close in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
