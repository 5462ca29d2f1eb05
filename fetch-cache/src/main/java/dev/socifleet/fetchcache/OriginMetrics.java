package dev.socifleet.fetchcache;

import dev.socifleet.fetchcache.RegistryGate.Kind;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.time.Duration;
import java.util.Locale;

/** What the registries are asked, give, and fail to give. */
final class OriginMetrics {
  private final Metrics metrics;
  private final Counter bytes;

  OriginMetrics(Metrics metrics) {
    this.metrics = metrics;
    bytes = metrics.counter("soci_cache_registry_bytes_total", "Bytes of spans from registries");
    asked(Kind.HEAD).increment(0);
    asked(Kind.GET).increment(0);
  }

  /** Requests as the cache means them: the client below may repeat one, or fetch a token for it. */
  Counter asked(Kind kind) {
    return metrics.counter(
        "soci_cache_registry_requests_total",
        "Requests to registries: head asks for a right, get fetches a run of spans",
        "kind",
        name(kind));
  }

  void took(Kind kind, Duration time) {
    metrics
        .timer(
            "soci_cache_registry_seconds",
            "From a request to a registry to the end of its answer",
            "kind",
            name(kind))
        .record(time);
  }

  Counter bytes() {
    return bytes;
  }

  /**
   * @param reason one of few words
   */
  void failed(Kind kind, String reason) {
    metrics
        .counter(
            "soci_cache_registry_failures_total",
            "Requests to registries that failed, by what is to blame",
            "kind",
            name(kind),
            "reason",
            reason)
        .increment();
  }

  private static String name(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }
}
