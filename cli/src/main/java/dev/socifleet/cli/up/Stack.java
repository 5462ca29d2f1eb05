package dev.socifleet.cli.up;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.indexer.Indexer;
import dev.socifleet.indexer.IndexerConfig;
import dev.socifleet.ingest.Ingest;
import dev.socifleet.ingest.IngestConfig;
import dev.socifleet.pusher.Pusher;
import dev.socifleet.pusher.PusherConfig;
import dev.socifleet.service.Parts;
import dev.socifleet.service.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The writing half of the fleet in this process: broker, ingest, indexer, pusher. State in one
 * directory.
 */
final class Stack implements AutoCloseable {
  /**
   * @param host the registry's name in references
   * @param url where its API is; empty for the standard address of that name
   * @param token what the registry must send as its Authorization header
   */
  record Plan(
      Path state,
      String host,
      String url,
      String token,
      int webhookPort,
      int kafkaPort,
      long minLayerSize) {}

  private final Parts parts = new Parts();
  private final Ingest ingest;

  private Stack(Plan plan) throws IOException {
    EmbeddedBroker broker =
        parts.add(EmbeddedBroker.start(plan.state().resolve("kafka"), plan.kafkaPort()));
    Map<String, String> common = new HashMap<>();
    common.put("kafka.bootstrap", broker.bootstrap());
    common.put("kafka.replication", "1");
    common.put("admin.listen", "127.0.0.1:0");

    Map<String, String> webhooks = new HashMap<>(common);
    webhooks.put("listen", "127.0.0.1:" + plan.webhookPort());
    webhooks.put("source.0.name", "main");
    webhooks.put("source.0.registry", plan.host());
    webhooks.put("source.0.authorization", plan.token());
    ingest = parts.add(Ingest.start(IngestConfig.from(Settings.of(webhooks))));

    common.put("registry.0.host", plan.host());
    if (!plan.url().isEmpty()) {
      common.put("registry.0.url", plan.url());
    }
    parts.add(Pusher.start(PusherConfig.from(Settings.of(common))));
    common.put("min-layer-size", Long.toString(plan.minLayerSize()));
    parts.add(Indexer.start(IndexerConfig.from(Settings.of(common)), Optional.empty()));
  }

  static Stack start(Plan plan) throws IOException {
    return new Stack(plan);
  }

  /** Where the registry sends its notifications. */
  String webhook() {
    return "http://127.0.0.1:" + ingest.port() + "/v1/events/main";
  }

  @Override
  public void close() {
    parts.close();
  }
}
