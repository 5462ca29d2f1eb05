package dev.socifleet.fetchcache;

import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whose request it is, and what becomes of its failures: the edge of the cache. Thread-safe. */
final class Routes implements CacheServer.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

  private final SpanRequests spans;
  private final IndexerRequests indexers;
  private final Readers readers;
  private final Duration readerPatience;
  private final Metrics metrics;
  private final Counter toClients;
  private final Counter denied;
  private final Counter errors;

  /**
   * @param readerPatience how long a reader may take nothing
   */
  Routes(
      SpanRequests spans,
      IndexerRequests indexers,
      Readers readers,
      Duration readerPatience,
      Metrics metrics) {
    this.spans = spans;
    this.indexers = indexers;
    this.readers = readers;
    this.readerPatience = readerPatience;
    this.metrics = metrics;
    toClients =
        metrics.counter(
            "soci_cache_client_bytes_total", "Bytes of spans and zTOCs sent to callers");
    denied =
        metrics.counter(
            "soci_cache_denied_total", "Requests for what the registry would not give the caller");
    errors =
        metrics.counter(
            "soci_cache_errors_total",
            "Requests that failed though they were understood and right");
  }

  @Override
  public int handle(HttpServerRequest request) throws InterruptedException {
    long since = System.nanoTime();
    String kind = "other";
    try (Reply reply = new Reply(request, readers, toClients, readerPatience)) {
      try {
        List<String> parts = List.of(String.valueOf(request.path()).split("/", -1));
        if (parts.size() > 2
            && parts.get(1).equals("v1")
            && List.of("spans", "ztocs", "leases").contains(parts.get(2))) {
          kind = parts.get(2);
        }
        route(request, kind, parts, reply);
      } catch (Refusal e) {
        refused(request, reply, e);
      } catch (Reply.ReaderGoneException e) {
        LOG.debug("{}", e.getMessage());
        reply.abort();
      } catch (OutOfMemoryError e) {
        LOG.error("the JVM's memory doesn't suffice for the setting memory", e);
        refused(request, reply, Refusal.overloaded("out of memory"));
      } catch (IOException | RuntimeException e) { // the edge of a request: it must get an answer
        LOG.error("cannot answer {} {}", request.method(), request.path(), e);
        refused(request, reply, Refusal.of(500, "error", "internal error"));
      }
      return reply.status();
    } finally {
      duration(kind).record(Duration.ofNanos(System.nanoTime() - since));
    }
  }

  private Timer duration(String kind) {
    return metrics.timer(
        "soci_cache_request_seconds", "From a request to the end of its answer", "kind", kind);
  }

  private void route(HttpServerRequest request, String kind, List<String> parts, Reply reply)
      throws Refusal, IOException, InterruptedException {
    String what = request.method().name() + " " + kind + " " + (parts.size() - 3);
    switch (what) {
      case "GET spans 1" -> spans.one(request, Parameters.digest(parts.get(3)), reply);
      case "POST spans 0" -> spans.many(request, reply, why -> count(request, why));
      case "GET ztocs 2" -> indexers.ztoc(request, layer(parts), spanSize(parts), reply);
      case "PUT ztocs 2" -> indexers.putZtoc(request, layer(parts), spanSize(parts), reply);
      case "POST leases 2" -> indexers.lease(request, layer(parts), spanSize(parts), reply);
      case "DELETE leases 2" -> indexers.release(request, layer(parts), spanSize(parts), reply);
      default ->
          throw Refusal.of(
              404, "unknown", "nothing here: " + request.method() + " " + request.path());
    }
  }

  private static Digest layer(List<String> parts) throws Refusal {
    return Parameters.digest(parts.get(3));
  }

  private static long spanSize(List<String> parts) throws Refusal {
    return Parameters.spanSize(parts.get(4));
  }

  /** Before its answer goes out: whoever has it finds it counted. */
  private void count(HttpServerRequest request, Refusal why) {
    if (why.status() == 403) {
      denied.increment();
    } else if (why.status() >= 500 && why.status() != 504) {
      errors.increment();
    }
    LOG.debug("{} {}: {} {}", request.method(), request.path(), why.status(), why.text());
  }

  private void refused(HttpServerRequest request, Reply reply, Refusal why)
      throws InterruptedException {
    count(request, why);
    if (reply.over()) {
      return; // he has been told
    }
    if (reply.begun()) {
      reply.abort();
    } else {
      reply.refuse(why);
    }
  }
}
