package dev.socifleet.ingest;

import dev.socifleet.events.EventProducer;
import dev.socifleet.events.KafkaUnavailableException;
import dev.socifleet.events.Topic;
import dev.socifleet.ingest.DistributionNotifications.MalformedBodyException;
import dev.socifleet.ingest.DistributionNotifications.Taken;
import dev.socifleet.service.Metrics;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /v1/events/<source>}. The event loop collects a body of bounded size; a virtual
 * thread waits for Kafka.
 *
 * <table>
 *   <tr><td>202<td>Kafka has every event of the body, or the body held none for us
 *   <tr><td>400<td>not an envelope of notifications
 *   <tr><td>401<td>the sender's Authorization header isn't the configured one
 *   <tr><td>404<td>no such source
 *   <tr><td>413<td>the body is over the limit
 *   <tr><td>503<td>Kafka didn't acknowledge, or too many requests wait for it; with Retry-After
 * </table>
 */
final class Webhooks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Webhooks.class);
  private static final String PATH = "/v1/events/";
  private static final long SECONDS = 60;

  private final Map<String, Source> sources;
  private final IngestConfig config;
  private final EventProducer producer;
  private final Metrics metrics;
  private final Semaphore inFlight;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Vertx vertx =
      Vertx.vertx(
          new VertxOptions()
              .setEventLoopPoolSize(1)
              .setFileSystemOptions(
                  new FileSystemOptions()
                      .setFileCachingEnabled(false)
                      .setClassPathResolvingEnabled(false)));
  private int port;

  private Webhooks(IngestConfig config, EventProducer producer, Metrics metrics) {
    this.config = config;
    this.producer = producer;
    this.metrics = metrics;
    sources =
        config.sources().stream()
            .collect(Collectors.toMap(Source::name, Function.identity(), (a, b) -> a));
    inFlight = new Semaphore(config.requestsInFlight());
  }

  static Webhooks listen(IngestConfig config, EventProducer producer, Metrics metrics)
      throws IOException {
    Webhooks webhooks = new Webhooks(config, producer, metrics);
    var options =
        new HttpServerOptions()
            .setHost(config.listen().getHostString())
            .setPort(config.listen().getPort())
            .setIdleTimeout(60);
    try {
      HttpServer server =
          webhooks
              .vertx
              .createHttpServer(options)
              .requestHandler(webhooks::take)
              .listen()
              .toCompletionStage()
              .toCompletableFuture()
              .get(SECONDS, TimeUnit.SECONDS);
      webhooks.port = server.actualPort();
      return webhooks;
    } catch (ExecutionException | TimeoutException e) {
      webhooks.close();
      throw new IOException(
          "cannot listen for webhooks on " + config.listen() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      webhooks.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening the port of the webhooks", e);
    }
  }

  int port() {
    return port;
  }

  private void take(HttpServerRequest request) {
    String path = request.path() == null ? "" : request.path();
    Optional<Source> source =
        path.startsWith(PATH)
            ? Optional.ofNullable(sources.get(path.substring(PATH.length())))
            : Optional.empty();
    if (source.isEmpty()) {
      answer(request, 404, "unknown-source", "no such source");
      return;
    }
    if (!request.method().equals(HttpMethod.POST)) {
      request.response().putHeader("Allow", "POST");
      answer(request, 405, "method", "POST events here");
      return;
    }
    String presented = Optional.ofNullable(request.getHeader("Authorization")).orElse("");
    if (source.get().authorization().isPresent()
        && !source.get().authorization().get().matches(presented)) {
      answer(
          request,
          401,
          "unauthorized",
          "the Authorization header isn't the one configured for this source");
      return;
    }
    Buffer body = Buffer.buffer();
    request.handler(chunk -> {
      if (body.length() + chunk.length() <= config.bodyLimitBytes()) {
        body.appendBuffer(chunk);
      } else if (!request.response().ended()) {
        answer(
            request,
            413,
            "too-large",
            "the body is larger than " + config.bodyLimitBytes() + " bytes");
      }
    });
    request.exceptionHandler(e -> LOG.debug("a sender went away: {}", e.getMessage()));
    request.endHandler(end -> {
      if (!request.response().ended()) {
        hand(request, source.get(), body.getBytes());
      }
    });
  }

  /** From the event loop to a thread that may wait. */
  private void hand(HttpServerRequest request, Source source, byte[] body) {
    if (!inFlight.tryAcquire()) {
      later(request, "overloaded", "too many events wait for Kafka");
      return;
    }
    threads.execute(() -> {
      try {
        store(request, source, body);
      } finally {
        inFlight.release();
      }
    });
  }

  private void store(HttpServerRequest request, Source source, byte[] body) {
    try {
      Taken taken = DistributionNotifications.read(body, source, Instant.now());
      producer.sendAll(Topic.PUSHES, taken.events());
      metrics
          .counter("soci_ingest_events_total", "Events written to Kafka", "source", source.name())
          .increment(taken.events().size());
      metrics
          .counter(
              "soci_ingest_events_ignored_total",
              "Well-formed events that are none of ours",
              "source",
              source.name())
          .increment(taken.ignored());
      answer(request, 202, "taken", taken.events().size() + " events");
    } catch (MalformedBodyException e) {
      LOG.warn("source {} sent a body that isn't understood: {}", source.name(), e.getMessage());
      answer(request, 400, "malformed", String.valueOf(e.getMessage()));
    } catch (KafkaUnavailableException e) {
      LOG.warn("{}", e.getMessage());
      later(request, "kafka", "the events could not be stored; send them again");
    } catch (RuntimeException e) { // the edge of a request: the sender must get an answer
      LOG.error("cannot take events of source {}", source.name(), e);
      answer(request, 500, "error", "internal error");
    }
  }

  private void later(HttpServerRequest request, String result, String text) {
    request.response().putHeader("Retry-After", "5");
    answer(request, 503, result, text);
  }

  private void answer(HttpServerRequest request, int status, String result, String text) {
    metrics
        .counter("soci_ingest_requests_total", "Webhook requests by result", "result", result)
        .increment();
    request
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(text + "\n");
  }

  @Override
  public void close() {
    threads.shutdown();
    try {
      threads.awaitTermination(5, TimeUnit.SECONDS);
      vertx.close().toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("the webhooks' port did not close in order", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
