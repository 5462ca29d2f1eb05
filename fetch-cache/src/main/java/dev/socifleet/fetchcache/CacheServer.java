package dev.socifleet.fetchcache;

import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port of the cache. The event loops move bytes; each request has a virtual thread that may
 * wait. So many at once, the others get 503.
 */
final class CacheServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CacheServer.class);
  private static final int LONGEST_HEADER = 32 << 10;
  private static final int IDLE_SECONDS = 240;
  private static final long SECONDS = 60;

  /** Answers a request, on a thread that may wait. */
  @FunctionalInterface
  interface Handler {
    /** Returns the status of the answer, 0 when the caller went away or was cut off. */
    int handle(HttpServerRequest request) throws InterruptedException;
  }

  private final FetchCacheConfig config;
  private final Handler handler;
  private final Metrics metrics;
  private final Semaphore inFlight;
  private final AtomicInteger connections = new AtomicInteger();
  private final Counter malformed;
  private final Counter connectionsRefused;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Vertx vertx;
  private int port;

  private CacheServer(FetchCacheConfig config, Handler handler, Metrics metrics) {
    this.config = config;
    this.handler = handler;
    this.metrics = metrics;
    inFlight = new Semaphore(config.requests());
    int processors = Runtime.getRuntime().availableProcessors();
    vertx =
        Vertx.vertx(
            new VertxOptions()
                .setEventLoopPoolSize(Math.clamp(processors, 2, 16))
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(2)
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setFileCachingEnabled(false)
                        .setClassPathResolvingEnabled(false)));
    malformed =
        metrics.counter(
            "soci_cache_malformed_requests_total",
            "Requests that aren't HTTP, or whose address or headers are too long");
    connectionsRefused =
        metrics.counter(
            "soci_cache_connections_refused_total",
            "Connections closed at once: too many are open");
    metrics.gauge("soci_cache_connections", "Open connections", connections::get);
    metrics.gauge(
        "soci_cache_requests_in_flight",
        "Requests being answered",
        () -> config.requests() - inFlight.availablePermits());
  }

  static CacheServer listen(FetchCacheConfig config, Handler handler, Metrics metrics)
      throws IOException {
    CacheServer server = new CacheServer(config, handler, metrics);
    String shown = config.listen().getHostString() + ":" + config.listen().getPort();
    try {
      server.open();
      return server;
    } catch (ExecutionException | TimeoutException | IOException e) {
      server.close();
      Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
      throw new IOException("cannot listen for the cache on " + shown + ": " + cause, cause);
    } catch (InterruptedException e) {
      server.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening the cache's port on " + shown, e);
    }
  }

  /** One listener an event loop: Vert.x spreads the connections over them. */
  private void open()
      throws IOException, ExecutionException, TimeoutException, InterruptedException {
    port = config.listen().getPort() == 0 ? freePort() : config.listen().getPort();
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(config.listen().getHostString())
            .setPort(port)
            .setMaxHeaderSize(LONGEST_HEADER)
            .setMaxInitialLineLength(LONGEST_HEADER)
            .setIdleTimeout(IDLE_SECONDS)
            .setTcpNoDelay(true)
            // HTTP/1.1 only: one answer a connection is what cutting a slow reader off relies on.
            .setHttp2ClearTextEnabled(false)
            .setUseAlpn(false);
    config
        .tls()
        .ifPresent(tls ->
            options
                .setSsl(true)
                .setKeyCertOptions(
                    new PemKeyCertOptions()
                        .setCertPath(tls.certificate().toString())
                        .setKeyPath(tls.key().toString())));
    for (int i = 0; i < Math.clamp(Runtime.getRuntime().availableProcessors(), 2, 16); i++) {
      bind(options);
    }
  }

  /** Listeners share a port by the number they were told, which 0 is not. */
  private int freePort() throws IOException {
    try (ServerSocket socket =
        new ServerSocket(0, 1, InetAddress.getByName(config.listen().getHostString()))) {
      return socket.getLocalPort();
    }
  }

  private void bind(HttpServerOptions options)
      throws ExecutionException, TimeoutException, InterruptedException {
    var _ =
        vertx
            .createHttpServer(options)
            .connectionHandler(this::connected)
            .invalidRequestHandler(this::refuseMalformed)
            .requestHandler(this::take)
            .listen()
            .toCompletionStage()
            .toCompletableFuture()
            .get(SECONDS, TimeUnit.SECONDS);
  }

  int port() {
    return port;
  }

  private void connected(HttpConnection connection) {
    if (connections.incrementAndGet() > config.connections()) {
      connections.decrementAndGet();
      connectionsRefused.increment();
      var _ = connection.close();
      return;
    }
    connection.closeHandler(closed -> connections.decrementAndGet());
  }

  /** Answers 400, 414 or 431 and closes, as Vert.x does by itself. */
  private void refuseMalformed(HttpServerRequest request) {
    malformed.increment();
    HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
  }

  private void take(HttpServerRequest request) {
    request.exceptionHandler(e -> LOG.debug("a caller went away: {}", e.getMessage()));
    request.response().exceptionHandler(e -> LOG.debug("a reader went away: {}", e.getMessage()));
    if (!inFlight.tryAcquire()) {
      count(503);
      RefusalAnswer.send(
          request, Refusal.overloaded(config.requests() + " requests are being answered"));
      return;
    }
    if (RequestBody.expected(request)) {
      request.pause();
    }
    try {
      threads.execute(() -> {
        int status = 0;
        try {
          status = handler.handle(request);
        } catch (InterruptedException e) {
          Wire.cut(request); // the cache is closing
        } finally {
          inFlight.release();
          count(status);
        }
      });
    } catch (RejectedExecutionException e) {
      inFlight.release();
      count(503);
      RefusalAnswer.send(request, Refusal.overloaded("the cache is closing"));
    }
  }

  private void count(int status) {
    metrics
        .counter(
            "soci_cache_requests_total",
            "Requests by the status of their answer; gone: callers who went away or were cut off",
            "status",
            status == 0 ? "gone" : Integer.toString(status))
        .increment();
  }

  @Override
  public void close() {
    threads.shutdown();
    try {
      if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
        threads.shutdownNow();
        threads.awaitTermination(5, TimeUnit.SECONDS);
      }
      vertx.close().toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("the port of the cache did not close in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
