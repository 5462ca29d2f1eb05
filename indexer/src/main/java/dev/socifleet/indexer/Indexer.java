package dev.socifleet.indexer;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.events.BrokerCheck;
import dev.socifleet.events.Delays;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.TaskConsumer;
import dev.socifleet.events.Topic;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.service.AdminServer;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Parts;
import dev.socifleet.service.Readiness;
import dev.socifleet.service.ServiceMain;
import java.io.IOException;
import java.util.Optional;

/**
 * Plans what was pushed and builds the zTOCs of its layers. Keeps no state; run as many as you
 * like.
 */
public final class Indexer implements AutoCloseable {
  private final Parts parts = new Parts();
  private final AdminServer admin;

  private Indexer(IndexerConfig config) throws IOException {
    Metrics metrics = new Metrics();
    Readiness readiness = new Readiness();
    admin = AdminServer.start(config.adminListen(), metrics, readiness);
    parts.add(admin);
    HttpRegistries registries = HttpRegistries.open(config.registries());
    parts.add(registries);
    Optional<FleetCache> cache =
        config.cache().isEmpty()
            ? Optional.empty()
            : Optional.of(parts.add(HttpFleetCache.open(config.cache().get())));
    EventProducer producer = new EventProducer(config.kafka());
    parts.add(producer);
    BrokerCheck broker = BrokerCheck.start(config.kafka());
    parts.add(broker);
    readiness.add("kafka", broker::whyNotReady);
    LayerBuilder builder = new LayerBuilder(config, registries, producer, metrics, cache);
    TaskConsumer tasks =
        TaskConsumer.start(producer, Topic.LAYERS, TaskConsumer.GROUP, config.slots(), builder);
    parts.add(tasks);
    readiness.add("layer tasks", tasks::whyNotReady);
    parts.add(
        TaskConsumer.start(
            producer, Topic.LAYERS_BULK, TaskConsumer.BULK_GROUP, config.bulkSlots(), builder));
    Planner planner = new Planner(config, registries, producer, metrics);
    EventConsumer pushes = EventConsumer.start(producer, Topic.PUSHES, "planners", planner);
    parts.add(pushes);
    readiness.add("pushes", pushes::whyNotReady);
    parts.add(Delays.start(producer));
    readiness.started();
  }

  public static void main(String[] args) {
    ServiceMain.run("indexer", args, settings -> start(IndexerConfig.from(settings)));
  }

  /** Starts planning and building. Kafka may come later: until then readiness says so. */
  public static Indexer start(IndexerConfig config) throws IOException {
    return new Indexer(config);
  }

  public int adminPort() {
    return admin.port();
  }

  @Override
  public void close() {
    parts.close();
  }
}
