package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheMembers;
import dev.socifleet.cacheclient.Placement;
import dev.socifleet.fetchcache.store.Database;
import dev.socifleet.fetchcache.store.DiskLimit;
import dev.socifleet.fetchcache.store.Memory;
import dev.socifleet.fetchcache.store.SpanStore;
import dev.socifleet.fetchcache.store.StoreException;
import dev.socifleet.fetchcache.store.ZtocStore;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.service.AdminServer;
import dev.socifleet.service.Metrics;
import dev.socifleet.service.Parts;
import dev.socifleet.service.Readiness;
import dev.socifleet.service.ServiceMain;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fleet's cache of spans and zTOCs. Gives bytes only to callers to whom the registry would give
 * them; costs the registry one fetch a span, however many ask. All it keeps can be fetched again: a
 * lost directory costs time, nothing else.
 */
public final class FetchCache implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FetchCache.class);

  private final Parts parts = new Parts();
  private final AdminServer admin;
  private final CacheServer server;

  private FetchCache(FetchCacheConfig config) throws IOException {
    try {
      Metrics metrics = new Metrics();
      Readiness readiness = new Readiness();
      admin =
          parts.add(
              AdminServer.start(
                  config.adminListen(), metrics, readiness, config.token().orElse(null)));
      HttpRegistries registries = parts.add(HttpRegistries.open(config.registries()));
      Database database = parts.add(Database.open(config.directory(), config.limitBytes()));
      readiness.add("store", database::whyNotReady);
      DiskLimit limit = parts.add(new DiskLimit(database, metrics));
      SpanStore store = SpanStore.open(database, limit, metrics);
      Readers readers = new Readers(metrics);
      warnOfLittleMemory(config.memoryBytes());
      Memory memory = new Memory(config.memoryBytes(), readers::cutStalled);
      metrics.gauge("soci_cache_memory_limit_bytes", "Memory for spans", memory::totalBytes);
      metrics.gauge("soci_cache_memory_bytes", "Memory that spans have now", memory::usedBytes);
      ZtocStore ztocStore = ZtocStore.open(database, store, memory, metrics);
      parts.add(hourly(ztocStore));

      Watch watch = parts.add(new Watch(config.registryPatience()));
      RegistryGate gate =
          new RegistryGate(
              config.registryRequests(), config.registryQueue(), config.registryPatience());
      metrics.gauge(
          "soci_cache_registry_requests_waiting",
          "Requests that wait for one of the places at their registry",
          gate::waiting);
      Origin origin = new Origin(registries, gate, watch, new OriginMetrics(metrics));
      Rights rights = new Rights(origin, config.authorizationMemory());
      Peers peers = parts.add(peers(config));
      Flights flights = parts.add(new Flights(store, origin, rights, peers, metrics));
      Spans spans =
          new Spans(store, ztocStore, rights, flights, peers, memory, config.runBytes(), metrics);
      Leases leases = new Leases();
      metrics.gauge("soci_cache_leases", "zTOCs being built", leases::count);
      Beats beats = parts.add(new Beats());
      Routes routes =
          new Routes(
              new SpanRequests(rights, spans, beats),
              new IndexerRequests(
                  config.token(),
                  config.ztocLimitBytes(),
                  rights,
                  new Ztocs(ztocStore, store, memory, metrics),
                  leases,
                  memory),
              readers,
              config.readerPatience(),
              metrics);
      server = parts.add(CacheServer.listen(config, routes, metrics));
      readiness.started();
    } catch (IOException | RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  private static Peers peers(FetchCacheConfig config) throws IOException {
    if (config.peers().isEmpty()) {
      return Peers.NONE;
    }
    FetchCacheConfig.PeerConfig peers = config.peers().get();
    return Peers.of(
        CacheMembers.open(peers.members()), new Placement(peers.members().members()), peers.self());
  }

  private static void warnOfLittleMemory(long bytes) {
    long most = PlatformDependent.maxDirectMemory();
    if (bytes > most) {
      LOG.warn(
          "memory is {} MiB, but the JVM gives {} MiB outside its heap: set a lower memory, or a"
              + " higher -XX:MaxDirectMemorySize",
          bytes >> 20,
          most >> 20);
    }
  }

  private static AutoCloseable hourly(ZtocStore store) {
    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("ztoc-sweep").daemon().factory());
    var _ =
        timer.scheduleWithFixedDelay(
            () -> {
              try {
                store.deleteGone();
              } catch (StoreException e) {
                LOG.warn("the records of zTOCs that are gone stay for now: {}", e.getMessage());
              }
            },
            1,
            1,
            TimeUnit.HOURS);
    return timer::shutdownNow;
  }

  public static void main(String[] args) {
    ServiceMain.run("fetch-cache", args, settings -> start(FetchCacheConfig.from(settings)));
  }

  /** Opens the store and the ports. Registries are asked when callers ask. */
  public static FetchCache start(FetchCacheConfig config) throws IOException {
    return new FetchCache(config);
  }

  /** The port of the cache. */
  public int port() {
    return server.port();
  }

  public int adminPort() {
    return admin.port();
  }

  @Override
  public void close() {
    parts.close();
  }
}
