package dev.socifleet.fetchcache;

import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.FleetToken;
import dev.socifleet.ztoc.ZtocOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** The requests for zTOCs and leases: nodes read zTOCs, indexers do all of it. Thread-safe. */
final class IndexerRequests {
  private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(3);

  private final Optional<FleetToken> token;
  private final int ztocLimitBytes;
  private final Rights rights;
  private final Ztocs ztocs;
  private final Leases leases;
  private final Memory memory;

  /**
   * @param token empty: nobody is an indexer
   */
  IndexerRequests(
      Optional<FleetToken> token,
      int ztocLimitBytes,
      Rights rights,
      Ztocs ztocs,
      Leases leases,
      Memory memory) {
    this.token = token;
    this.ztocLimitBytes = ztocLimitBytes;
    this.rights = rights;
    this.ztocs = ztocs;
    this.leases = leases;
    this.memory = memory;
  }

  /** {@code GET /v1/ztocs/{layer}/{span size}}. */
  void ztoc(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal, IOException, InterruptedException {
    if (request.getParam("repository") == null) {
      needToken(request);
    } else {
      rights.check(Parameters.caller(request), layer);
    }
    String builder =
        Optional.ofNullable(request.getParam("builder")).orElse(ZtocOptions.DEFAULT_BUILD_TOOL);
    ztocs.serve(layer, spanSize, builder, reply);
  }

  /** {@code PUT /v1/ztocs/{layer}/{span size}}. */
  void putZtoc(HttpServerRequest request, Digest layer, long spanSize, Reply reply)
      throws Refusal, InterruptedException {
    needToken(request);
    int length = RequestBody.length(request, ztocLimitBytes);
    Memory.Reservation reservation = memory.reserve(length, MEMORY_PATIENCE);
    if (reservation == null) {
      throw Refusal.overloaded("no memory for a zTOC of " + length + " bytes now");
    }
    try (reservation) {
      ztocs.put(layer, spanSize, RequestBody.read(request, length));
    }
    reply.endWith(201);
  }

  /** {@code POST /v1/leases/{layer}/{span size}}. */
  void lease(HttpServerRequest request, Digest layer, long spanSize, Reply reply) throws Refusal {
    needToken(request);
    Duration duration =
        Parameters.of(request, "seconds", text -> Duration.ofSeconds(Long.parseLong(text)));
    if (!duration.isPositive() || duration.compareTo(Leases.LONGEST) > 0) {
      throw Refusal.malformed("a lease is for 1 to " + Leases.LONGEST.toSeconds() + " seconds");
    }
    Optional<Duration> other = leases.take(layer, spanSize, Parameters.holder(request), duration);
    if (other.isPresent()) {
      throw Refusal.of(
          409,
          "held",
          "another indexer builds this zTOC; its lease ends within "
              + (other.get().toSeconds() + 1)
              + " s");
    }
    reply.endWith(200);
  }

  /** {@code DELETE /v1/leases/{layer}/{span size}}. */
  void release(HttpServerRequest request, Digest layer, long spanSize, Reply reply) throws Refusal {
    needToken(request);
    leases.release(layer, spanSize, Parameters.holder(request));
    reply.endWith(204);
  }

  private void needToken(HttpServerRequest request) throws Refusal {
    if (token.isEmpty()) {
      throw Refusal.of(401, "no-token", "this cache was given no fleet token (token-file)");
    }
    if (!token.get().admits(request.getHeader("Authorization"))) {
      throw Refusal.of(401, "unauthorized", "this needs the fleet token");
    }
  }
}
