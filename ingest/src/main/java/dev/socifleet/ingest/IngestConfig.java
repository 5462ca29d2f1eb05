package dev.socifleet.ingest;

import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.KafkaSettings;
import dev.socifleet.service.Settings;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Settings of ingest.
 *
 * <pre>
 * listen = "127.0.0.1:7700"        # the webhooks
 * admin.listen = "127.0.0.1:7710"  # health, metrics
 * body-limit = "1MiB"
 * in-flight = 256                  # requests waiting for Kafka; more get 503
 * [kafka]                          # see KafkaSettings
 * [[source]]                       # see Source
 * </pre>
 */
public record IngestConfig(
    InetSocketAddress listen,
    InetSocketAddress adminListen,
    int bodyLimitBytes,
    int requestsInFlight,
    KafkaAccess kafka,
    List<Source> sources) {
  public IngestConfig {
    sources = List.copyOf(sources);
  }

  /** Reads everything and fails with all problems. */
  public static IngestConfig from(Settings settings) {
    List<Source> sources = new ArrayList<>();
    for (Settings table : settings.tables("source")) {
      sources.add(Source.read(table));
    }
    if (sources.isEmpty()) {
      settings.problem("source", "no [[source]] is configured, so no event could be taken");
    }
    IngestConfig config =
        new IngestConfig(
            settings.address("listen", "127.0.0.1:7700"),
            settings.address("admin.listen", "127.0.0.1:7710"),
            Math.clamp(settings.bytes("body-limit", 1 << 20), 1 << 10, 64 << 20),
            (int) settings.number("in-flight", 256, 1, 100_000),
            KafkaSettings.read(settings),
            sources);
    settings.finish();
    return config;
  }
}
