package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.SmallRegistry.Access;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** HTTP: an event loop for connections, a virtual thread for each request. */
final class RegistryServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryServer.class);
  private static final int MOST_REQUESTS = 512;
  private static final int IDLE_SECONDS = 60;
  private static final long SECONDS = 60;

  /** Answers a request. */
  @FunctionalInterface
  interface Handler {
    void handle(Exchange exchange) throws IOException, Problem;
  }

  private final Handler handler;
  private final AccessLog accesses;
  private final Semaphore running = new Semaphore(MOST_REQUESTS);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Vertx vertx =
      Vertx.vertx(
          new VertxOptions()
              .setEventLoopPoolSize(2)
              .setFileSystemOptions(
                  new FileSystemOptions()
                      .setFileCachingEnabled(false)
                      .setClassPathResolvingEnabled(false)));
  private int port;

  private RegistryServer(Handler handler, AccessLog accesses) {
    this.handler = handler;
    this.accesses = accesses;
  }

  static RegistryServer listen(InetSocketAddress address, Handler handler, AccessLog accesses)
      throws IOException {
    RegistryServer server = new RegistryServer(handler, accesses);
    var options =
        new HttpServerOptions()
            .setHost(address.getHostString())
            .setPort(address.getPort())
            .setHttp2ClearTextEnabled(false)
            .setHandle100ContinueAutomatically(true)
            .setMaxHeaderSize(32 << 10)
            .setIdleTimeout(IDLE_SECONDS);
    try {
      HttpServer http =
          server
              .vertx
              .createHttpServer(options)
              .requestHandler(server::take)
              .listen()
              .toCompletionStage()
              .toCompletableFuture()
              .get(SECONDS, TimeUnit.SECONDS);
      server.port = http.actualPort();
      return server;
    } catch (ExecutionException | TimeoutException e) {
      server.close();
      throw new IOException("the registry cannot listen on " + address + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      server.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening the registry's port", e);
    }
  }

  int port() {
    return port;
  }

  /** On the event loop. */
  private void take(HttpServerRequest request) {
    Context context = vertx.getOrCreateContext();
    RequestBody body = new RequestBody(request, context, IDLE_SECONDS);
    Exchange exchange =
        new Exchange(
            request,
            body,
            decoded(request.path() == null ? "" : request.path()),
            IDLE_SECONDS,
            this::remember);
    try {
      threads.execute(() -> {
        try {
          answer(exchange);
        } finally {
          context.runOnContext(_ -> body.drain());
        }
      });
    } catch (RejectedExecutionException e) {
      request.connection().close(); // the registry is closing
    }
  }

  private void answer(Exchange exchange) {
    boolean mayRun = running.tryAcquire();
    try {
      if (mayRun) {
        handler.handle(exchange);
      } else {
        throw new Problem(
            429,
            "TOOMANYREQUESTS",
            MOST_REQUESTS + " requests are running",
            Map.of("Retry-After", "1"));
      }
    } catch (Problem problem) {
      explain(exchange, problem);
    } catch (IOException | RuntimeException e) { // the edge of a request
      if (exchange.answered()) {
        LOG.debug("{} {}: {}", exchange.method(), exchange.path(), e.getMessage());
        exchange.abort();
      } else {
        LOG.warn("cannot answer {} {}", exchange.method(), exchange.path(), e);
        explain(exchange, new Problem(500, "UNKNOWN", "the registry failed; its log says why"));
      }
    } finally {
      if (mayRun) {
        running.release();
      }
    }
  }

  /** Whoever has an answer finds its request among the accesses. */
  private void remember(Exchange exchange) {
    accesses.add(
        new Access(
            Instant.now(),
            exchange.method(),
            exchange.path(),
            exchange.header("Range"),
            exchange.status(),
            exchange.sent(),
            AccessLog.shortened(exchange.userAgent())));
  }

  private static void explain(Exchange exchange, Problem problem) {
    try {
      exchange.problem(problem);
    } catch (IOException e) {
      LOG.debug("{} {}: {}", exchange.method(), exchange.path(), e.getMessage());
      exchange.abort();
    }
  }

  private static String decoded(String path) {
    try {
      // '+' is itself in a path; only URLDecoder takes it for a space.
      return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return path;
    }
  }

  @Override
  public void close() {
    threads.shutdown();
    try {
      if (!threads.awaitTermination(2, TimeUnit.SECONDS)) {
        threads.shutdownNow();
      }
      vertx.close().toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
      if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("requests still run after the registry's end");
      }
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("the registry's port did not close in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
