package dev.socifleet.service;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * A service's meters, for Prometheus. Names begin with {@code soci_} and end with their unit where
 * they have one; counters get {@code _total}. Tags come as name, value, name, value … and take few
 * values: never a digest, a repository, an address. From the {@value #SERIES_A_NAME}th combination
 * of one meter on, all values are {@code other}. Thread-safe; asking again gives the same meter.
 */
public final class Metrics {
  private static final Pattern NAME = Pattern.compile("soci_[a-z0-9]+(_[a-z0-9]+)*");
  private static final int SERIES_A_NAME = 200;
  private static final Duration[] TIMER_BUCKETS =
      List.of(5L, 25L, 100L, 500L, 1_000L, 5_000L, 30_000L, 120_000L, 600_000L).stream()
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Map<String, Set<List<String>>> series = new ConcurrentHashMap<>();

  public Metrics() {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  public Counter counter(String name, String description, String... tags) {
    return Counter.builder(checked(name))
        .description(description)
        .tags(bounded(name, tags))
        .register(registry);
  }

  /** Records durations, in buckets from 5 ms to 10 min. */
  public Timer timer(String name, String description, String... tags) {
    return Timer.builder(checked(name))
        .description(description)
        .serviceLevelObjectives(TIMER_BUCKETS)
        .tags(bounded(name, tags))
        .register(registry);
  }

  /** A value read at each scrape; the supplier answers at once and is kept for good. */
  public void gauge(String name, String description, Supplier<Number> value, String... tags) {
    Gauge.builder(checked(name), value)
        .description(description)
        .tags(bounded(name, tags))
        .strongReference(true)
        .register(registry);
  }

  /** Everything in Prometheus's text format 0.0.4. */
  public String scrape() {
    return registry.scrape();
  }

  private static String checked(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("a meter's name is soci_<lower_case>, not '" + name + "'");
    }
    return name;
  }

  private Tags bounded(String name, String[] tags) {
    Set<List<String>> known = series.computeIfAbsent(name, key -> ConcurrentHashMap.newKeySet());
    List<String> wanted = List.of(tags);
    if (known.contains(wanted)) {
      return Tags.of(tags);
    }
    if (known.size() < SERIES_A_NAME) {
      known.add(wanted);
      return Tags.of(tags);
    }
    String[] folded = Arrays.copyOf(tags, tags.length);
    for (int i = 1; i < folded.length; i += 2) {
      folded[i] = "other";
    }
    return Tags.of(folded);
  }
}
