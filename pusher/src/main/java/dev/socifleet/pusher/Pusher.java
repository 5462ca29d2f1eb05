package dev.socifleet.pusher;

import dev.socifleet.events.BrokerCheck;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.Topic;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.service.AdminServer;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Parts;
import dev.socifleet.service.Readiness;
import dev.socifleet.service.ServiceMain;
import java.io.IOException;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes SOCI indexes v1 and v2 when a plan is complete. Keeps no state; Kafka gives each
 * repository one pusher.
 */
public final class Pusher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pusher.class);

  private final Parts parts = new Parts();
  private final AdminServer admin;

  private Pusher(PusherConfig config) throws IOException {
    Metrics metrics = new Metrics();
    Readiness readiness = new Readiness();
    admin = AdminServer.start(config.adminListen(), metrics, readiness);
    parts.add(admin);
    HttpRegistries registries = HttpRegistries.open(config.registries());
    parts.add(registries);
    EventProducer producer = new EventProducer(config.kafka());
    parts.add(producer);
    BrokerCheck broker = BrokerCheck.start(config.kafka());
    parts.add(broker);
    readiness.add("kafka", broker::whyNotReady);
    PlanBoard board =
        new PlanBoard(config.carryOver(), InstantSource.system(), registries, producer, metrics);
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("plans-", 0).factory());
    parts.add(clock::shutdownNow);
    var _ = clock.scheduleWithFixedDelay(() -> tick(board), 1, 1, TimeUnit.SECONDS);
    EventConsumer plans = EventConsumer.start(producer, Topic.ZTOCS, "pushers", board);
    parts.add(plans);
    readiness.add("plans", plans::whyNotReady);
    readiness.started();
  }

  public static void main(String[] args) {
    ServiceMain.run("pusher", args, settings -> start(PusherConfig.from(settings)));
  }

  /** Starts publishing. Kafka may come later: until then readiness says so. */
  public static Pusher start(PusherConfig config) throws IOException {
    return new Pusher(config);
  }

  public int adminPort() {
    return admin.port();
  }

  private static void tick(PlanBoard board) {
    try {
      board.tick();
    } catch (IOException e) {
      LOG.warn("{}; trying again", e.getMessage());
    } catch (RuntimeException e) { // the edge of the clock's thread: an error must not end it
      LOG.error("the open plans could not be looked after", e);
    }
  }

  @Override
  public void close() {
    parts.close();
  }
}
