package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheHeaders;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanFrames;
import dev.socifleet.cacheclient.SpanList;
import dev.socifleet.cacheclient.SpanQuestion.Terms;
import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.FleetToken;
import dev.socifleet.service.Metrics;
import dev.socifleet.ztoc.ZtocOptions;
import io.micrometer.core.instrument.Counter;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads requests and answers them: the wire contract of {@code lib/cache-client}. Thread-safe. */
final class Routes implements CacheServer.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(Routes.class);
  private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(3);
  private static final int LONGEST_HOLDER = 128;

  private final FetchCacheConfig config;
  private final Rights rights;
  private final Spans spans;
  private final Ztocs ztocs;
  private final Leases leases;
  private final Memory memory;
  private final Readers readers;
  private final Counter toClients;
  private final Counter denied;
  private final Counter errors;

  Routes(
      FetchCacheConfig config,
      Rights rights,
      Spans spans,
      Ztocs ztocs,
      Leases leases,
      Memory memory,
      Readers readers,
      Metrics metrics) {
    this.config = config;
    this.rights = rights;
    this.spans = spans;
    this.ztocs = ztocs;
    this.leases = leases;
    this.memory = memory;
    this.readers = readers;
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
  public void handle(HttpServerRequest request) throws InterruptedException {
    try (Reply reply = new Reply(request, readers, toClients, config.readerPatience())) {
      try {
        route(request, reply);
      } catch (Refusal e) {
        refused(request, reply, e);
      } catch (Reply.ReaderGoneException e) {
        LOG.debug("{}", e.getMessage());
        reply.abort();
      } catch (IOException | RuntimeException e) { // the edge of a request: it must get an answer
        LOG.error("cannot answer {} {}", request.method(), request.path(), e);
        refused(request, reply, Refusal.of(500, "error", "internal error"));
      }
    }
  }

  private void refused(HttpServerRequest request, Reply reply, Refusal why)
      throws InterruptedException {
    if (why.status() == 403) {
      denied.increment();
    } else if (why.status() >= 500 && why.status() != 504) {
      errors.increment();
    }
    LOG.debug("{} {}: {} {}", request.method(), request.path(), why.status(), why.text());
    if (reply.begun()) {
      reply.abort();
    } else {
      reply.refuse(why);
    }
  }

  private void route(HttpServerRequest request, Reply reply)
      throws Refusal, IOException, InterruptedException {
    String path = request.path() == null ? "" : request.path();
    List<String> parts = List.of(path.split("/", -1));
    String kind = parts.size() > 2 && parts.get(1).equals("v1") ? parts.get(2) : "";
    String what =
        request.method().name() + " " + kind + " " + (parts.size() - (kind.isEmpty() ? 0 : 3));
    switch (what) {
      case "GET spans 1" -> span(request, digest(parts.get(3)), reply);
      case "POST spans 0" -> manySpans(request, reply);
      case "GET ztocs 2" -> ztoc(request, digest(parts.get(3)), spanSize(parts.get(4)), reply);
      case "PUT ztocs 2" -> putZtoc(request, digest(parts.get(3)), spanSize(parts.get(4)), reply);
      case "POST leases 2" -> lease(request, digest(parts.get(3)), spanSize(parts.get(4)), reply);
      case "DELETE leases 2" ->
          release(request, digest(parts.get(3)), spanSize(parts.get(4)), reply);
      default -> throw Refusal.of(404, "unknown", "nothing here: " + request.method() + " " + path);
    }
  }

  private void span(HttpServerRequest request, Digest digest, Reply reply)
      throws Refusal, IOException, InterruptedException {
    Caller caller = caller(request);
    Digest blob = parameter(request, "blob", Digest::parse);
    SpanRange span = new SpanRange(digest, parameter(request, "range", ByteRange::parseHttp));
    spans.serve(
        caller,
        blob,
        List.of(span),
        terms(request),
        (bytes, hit) -> {
          reply.begin(
              "application/octet-stream",
              OptionalLong.of(bytes.length()),
              Map.of(
                  "Docker-Content-Digest",
                  digest.toString(),
                  // RFC 9211
                  "Cache-Status",
                  hit ? "soci-fleet; hit" : "soci-fleet; fwd=miss"));
          reply.send(bytes);
        });
    reply.end();
  }

  private void manySpans(HttpServerRequest request, Reply reply)
      throws Refusal, IOException, InterruptedException {
    Caller caller = caller(request);
    Digest blob = parameter(request, "blob", Digest::parse);
    Terms terms = terms(request);
    int length = RequestBody.length(request, SpanList.LONGEST_BODY);
    SpanList wanted;
    try {
      wanted = SpanList.parse(RequestBody.read(request, length));
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed("the list of spans: " + e.getMessage());
    }
    try {
      spans.serve(
          caller,
          blob,
          wanted.spans(),
          terms,
          (bytes, hit) -> {
            if (!reply.begun()) {
              reply.begin(SpanFrames.MEDIA_TYPE, OptionalLong.empty(), Map.of());
            }
            reply.send(SpanFrames.spanHead(bytes.length()));
            reply.send(bytes);
          });
      reply.send(SpanFrames.end());
    } catch (Refusal e) {
      if (!reply.begun()) {
        throw e;
      }
      reply.send(SpanFrames.error(e.status(), e.code(), e.text()));
    }
    reply.end();
  }

  private void ztoc(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal, IOException, InterruptedException {
    if (request.getParam("repository") == null) {
      needToken(request);
    } else {
      rights.check(caller(request), layer);
    }
    String builder =
        Optional.ofNullable(request.getParam("builder")).orElse(ZtocOptions.DEFAULT_BUILD_TOOL);
    ztocs.serve(layer, spanSize, builder, reply);
  }

  private void putZtoc(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal, InterruptedException {
    needToken(request);
    int length = RequestBody.length(request, config.ztocLimitBytes());
    Memory.Reservation reservation = memory.reserve(length, MEMORY_PATIENCE);
    if (reservation == null) {
      throw Refusal.overloaded("no memory for a zTOC of " + length + " bytes now");
    }
    try (reservation) {
      ztocs.put(layer, spanSize, RequestBody.read(request, length));
    }
    reply.status(201);
  }

  private void lease(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal {
    needToken(request);
    Duration duration =
        parameter(request, "seconds", text -> Duration.ofSeconds(Long.parseLong(text)));
    if (!duration.isPositive() || duration.compareTo(Leases.LONGEST) > 0) {
      throw Refusal.malformed("a lease is for 1 to " + Leases.LONGEST.toSeconds() + " seconds");
    }
    Optional<Duration> other = leases.take(layer, spanSize, holder(request), duration);
    if (other.isPresent()) {
      throw Refusal.of(
          409,
          "held",
          "another indexer builds this zTOC; its lease ends within "
              + (other.get().toSeconds() + 1)
              + " s");
    }
    reply.status(200);
  }

  private void release(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal {
    needToken(request);
    leases.release(layer, spanSize, holder(request));
    reply.status(204);
  }

  private static String holder(HttpServerRequest request) throws Refusal {
    String holder = Optional.ofNullable(request.getParam("holder")).orElse("");
    if (holder.isEmpty() || holder.length() > LONGEST_HOLDER) {
      throw Refusal.malformed("holder must be 1 to " + LONGEST_HOLDER + " characters");
    }
    return holder;
  }

  private void needToken(HttpServerRequest request) throws Refusal {
    Optional<FleetToken> token = config.token();
    if (token.isEmpty()) {
      throw Refusal.of(401, "no-token", "this cache was given no fleet token (token-file)");
    }
    if (!token.get().admits(request.getHeader("Authorization"))) {
      throw Refusal.of(401, "unauthorized", "this needs the fleet token");
    }
  }

  private static Caller caller(HttpServerRequest request) throws Refusal {
    RepositoryName repository = parameter(request, "repository", RepositoryName::parse);
    return Caller.of(repository, request.getHeader(CacheHeaders.REGISTRY_AUTHORIZATION));
  }

  private static Terms terms(HttpServerRequest request) {
    String control = Optional.ofNullable(request.getHeader("Cache-Control")).orElse("");
    if (control.toLowerCase(Locale.ROOT).contains(CacheHeaders.ONLY_IF_CACHED)) {
      return Terms.ONLY_IF_CACHED;
    }
    return request.getHeader(CacheHeaders.FORWARDED) == null ? Terms.ANY : Terms.FORWARDED;
  }

  private static <T> T parameter(HttpServerRequest request, String name, Function<String, T> parser)
      throws Refusal {
    String text = request.getParam(name);
    if (text == null) {
      throw Refusal.malformed("the parameter " + name + " is missing");
    }
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed("the parameter " + name + ": " + e.getMessage());
    }
  }

  private static Digest digest(String segment) throws Refusal {
    try {
      return Digest.parse(URLDecoder.decode(segment, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed(String.valueOf(e.getMessage()));
    }
  }

  private static long spanSize(String segment) throws Refusal {
    if (!segment.matches("[1-9]\\d{0,17}")) {
      throw Refusal.malformed("not a span size in bytes: '" + segment + "'");
    }
    return Long.parseLong(segment);
  }
}
