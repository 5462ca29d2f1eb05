package dev.socifleet.ingest;

import dev.socifleet.events.BrokerCheck;
import dev.socifleet.events.EventProducer;
import dev.socifleet.service.AdminServer;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Readiness;
import dev.socifleet.service.ServiceMain;
import java.io.IOException;
import java.util.Optional;

/**
 * Takes registries' webhooks and writes what was pushed to soci.pushes. Keeps no state; run as many
 * as you like.
 */
public final class Ingest implements AutoCloseable {
  private final EventProducer producer;
  private final BrokerCheck broker;
  private final Webhooks webhooks;
  private final AdminServer admin;

  private Ingest(EventProducer producer, BrokerCheck broker, Webhooks webhooks, AdminServer admin) {
    this.producer = producer;
    this.broker = broker;
    this.webhooks = webhooks;
    this.admin = admin;
  }

  public static void main(String[] args) {
    ServiceMain.run("ingest", args, settings -> start(IngestConfig.from(settings)));
  }

  /**
   * Returns when the ports are open. Kafka may come later: until then readiness says so and senders
   * get 503.
   */
  public static Ingest start(IngestConfig config) throws IOException {
    Metrics metrics = new Metrics();
    Readiness readiness = new Readiness();
    BrokerCheck broker = BrokerCheck.start(config.kafka());
    readiness.add("kafka", broker::whyNotReady);
    EventProducer producer = new EventProducer(config.kafka());
    Webhooks webhooks = null;
    try {
      webhooks = Webhooks.listen(config, producer, metrics);
      readiness.started();
      return new Ingest(
          producer, broker, webhooks, AdminServer.start(config.adminListen(), metrics, readiness));
    } catch (IOException e) {
      Optional.ofNullable(webhooks).ifPresent(Webhooks::close);
      producer.close();
      broker.close();
      throw e;
    }
  }

  /** The port of the webhooks. */
  public int port() {
    return webhooks.port();
  }

  public int adminPort() {
    return admin.port();
  }

  @Override
  public void close() {
    webhooks.close();
    producer.close();
    broker.close();
    admin.close();
  }
}
