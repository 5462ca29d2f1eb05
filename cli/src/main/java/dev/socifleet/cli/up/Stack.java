package dev.socifleet.cli.up;

import dev.socifleet.cli.Lifetime;
import dev.socifleet.cli.mount.ImageMounts;
import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.fetchcache.FetchCache;
import dev.socifleet.fetchcache.FetchCacheConfig;
import dev.socifleet.indexer.Indexer;
import dev.socifleet.indexer.IndexerConfig;
import dev.socifleet.ingest.Ingest;
import dev.socifleet.ingest.IngestConfig;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.pusher.Pusher;
import dev.socifleet.pusher.PusherConfig;
import dev.socifleet.service.FleetToken;
import dev.socifleet.service.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All five services on this machine: broker, registry where none is given, ingest, indexer, pusher
 * and fetch-cache in this process, the node in one of its own. State in one directory, on which it
 * can be started again however it ended. What it consists of ends with the {@link Lifetime} in
 * which it was started.
 */
public final class Stack {
  private final StackPlan plan;
  private final FleetToken token;
  private final EmbeddedBroker broker;
  private final @Nullable SmallRegistry ownRegistry;
  private final RegistryHost registry;
  private final FetchCache cache;
  private final Ingest ingest;

  private Stack(StackPlan plan, Lifetime life) throws IOException, InterruptedException {
    this.plan = plan;
    life.start(() -> StateDirectory.hold(plan.state()));
    Mounts.detachBelow(plan.state());
    token = FleetToken.readOrCreate(plan.tokenFile());
    broker = life.start(() -> EmbeddedBroker.start(plan.in("kafka"), plan.ports().kafka()));
    ownRegistry = plan.registry().isPresent() ? null : life.start(() -> registry(plan));
    registry =
        ownRegistry == null ? plan.registry().orElseThrow() : RegistryHost.of(ownRegistry.host());
    StackSettings settings = new StackSettings(plan, broker.bootstrap(), registry);
    cache =
        life.start(() -> FetchCache.start(FetchCacheConfig.from(Settings.of(settings.cache()))));
    ingest = life.start(() -> Ingest.start(IngestConfig.from(Settings.of(settings.ingest(token)))));
    if (ownRegistry != null) {
      ownRegistry.notify(
          new SmallRegistry.Notifications(URI.create(webhook()), token.authorization()));
    }
    life.start(() -> Pusher.start(PusherConfig.from(Settings.of(settings.pusher()))));
    life.start(() -> Indexer.start(IndexerConfig.from(Settings.of(settings.indexer(cacheUrl())))));
    if (plan.nodeSocket().isPresent()) {
      NodeProcess node = life.start(() -> startNode(settings));
      node.awaitReady();
      life.start(() -> new ImageMounts(plan.nodeControl()));
    }
  }

  private NodeProcess startNode(StackSettings settings) throws IOException {
    return NodeProcess.start(
        plan.nodeRoot(),
        plan.nodeSocket().orElseThrow(),
        plan.nodeLog(),
        settings.node(cacheUrl(), NodeProcess.freePort()));
  }

  private static SmallRegistry registry(StackPlan plan) throws IOException {
    return SmallRegistry.start(
        new SmallRegistry.Options(
            plan.in("registry"),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), plan.ports().registry()),
            true,
            Optional.empty()));
  }

  /** Starts everything and returns when it serves; see {@link StackPlan#needMachine()}. */
  public static Stack start(StackPlan plan, Lifetime life)
      throws IOException, InterruptedException {
    return new Stack(plan, life);
  }

  /** Where the registry sends its notifications. */
  public String webhook() {
    return "http://" + Ports.address(ingest.port()) + "/v1/events/" + StackSettings.SOURCE;
  }

  StackPlan plan() {
    return plan;
  }

  /** The broker's address. */
  public String bootstrap() {
    return broker.bootstrap();
  }

  /** The fleet's cache. */
  String cacheUrl() {
    return "http://" + Ports.address(cache.port());
  }

  /** Where the node takes commands, such as those of {@code soci mount}; empty without a node. */
  public Optional<Path> nodeControl() {
    return plan.nodeSocket().map(_ -> plan.nodeControl());
  }

  /** What it sends along. */
  public FleetToken token() {
    return token;
  }

  /** The registry whose images are indexed. */
  public RegistryHost registry() {
    return registry;
  }

  /** The registry in this process; empty where another one was given. */
  public Optional<SmallRegistry> ownRegistry() {
    return Optional.ofNullable(ownRegistry);
  }

  public KafkaAccess kafka() {
    return KafkaAccess.local(broker.bootstrap());
  }
}
