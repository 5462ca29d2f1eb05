package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.CacheSettings;
import dev.socifleet.cacheclient.FleetCacheConfig;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.service.FleetToken;
import dev.socifleet.service.RegistrySettings;
import dev.socifleet.service.Settings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Settings of fetch-cache.
 *
 * <pre>
 * listen = "127.0.0.1:7720"
 * admin.listen = "127.0.0.1:7721"
 * directory = "/var/lib/soci-fleet/fetch-cache"
 * limit = "10GiB"                 # what its database's files may have, within 5 %; at least 64MiB
 * memory = "256MiB"               # spans and zTOCs in memory at once, outside the Java heap or in it;
 *                                 # one span may have a quarter of it; RocksDB adds up to 150 MiB
 * requests = 1024                 # answered at once; more get 503
 * connections = 4096              # more are closed
 * registry-requests = 32          # to one registry at once, fetches and questions counted apart
 * registry-queue = 512            # of each that may wait; more get 503
 * registry-patience = "30s"       # for an answer, and for the next byte of one
 * reader-patience = "30s"         # for a reader to take some bytes; one second while memory is short
 * run-limit = "16MiB"             # neighbouring missing spans that are fetched by one request
 * authorization-memory = "60s"    # how long the registry isn't asked again what a caller may do
 * ztoc-limit = "128MiB"           # the largest zTOC taken from an indexer; at most half of memory
 * token-file = "/etc/soci-fleet/token"  # the fleet token: indexers present it; readers don't
 * tls.certificate = "/etc/soci-fleet/cache.pem"  # needed on an address that others can reach
 * tls.key = "/etc/soci-fleet/cache-key.pem"      # PKCS 8, PEM
 * insecure = false                # serve others without TLS, and ask other members without it
 * [peers]                         # for a cache of several members
 * members = ["https://cache-0.example:7720", "https://cache-1.example:7720"]  # as clients have them
 * self = "https://cache-0.example:7720"   # this one
 * ca-file = "/etc/soci-fleet/ca.pem"      # who signed the members' certificates
 * [[registry]]                    # who may be asked: see RegistrySettings. Their credentials aren't
 *                                 # used: the registry is asked with the caller's own
 * </pre>
 *
 * @param peers the other members and which of them this one is; empty for a cache of one
 */
public record FetchCacheConfig(
    InetSocketAddress listen,
    InetSocketAddress adminListen,
    Path directory,
    long limitBytes,
    long memoryBytes,
    int requests,
    int connections,
    int registryRequests,
    int registryQueue,
    Duration registryPatience,
    Duration readerPatience,
    long runBytes,
    Duration authorizationMemory,
    int ztocLimitBytes,
    Optional<FleetToken> token,
    Optional<Tls> tls,
    Optional<PeerConfig> peers,
    RegistriesConfig registries) {
  private static final long LEAST_LIMIT = 64L << 20;
  private static final long LEAST_MEMORY = 8L << 20;
  private static final Duration LEAST_PATIENCE = Duration.ofMillis(100);

  /** PEM files of the server's certificate chain and its key. */
  public record Tls(Path certificate, Path key) {}

  /** The members of this cache. */
  public record PeerConfig(FleetCacheConfig members, URI self) {}

  /** Reads everything and fails with all problems. */
  public static FetchCacheConfig from(Settings settings) {
    InetSocketAddress listen = settings.address("listen", "127.0.0.1:7720");
    InetSocketAddress admin = settings.address("admin.listen", "127.0.0.1:7721");
    boolean insecure = settings.flag("insecure", false);
    Optional<FleetToken> token = CacheSettings.token(settings, "token");
    Optional<Tls> tls = tls(settings);
    if (tls.isEmpty() && !insecure && !loopback(listen)) {
      settings.problem(
          "listen",
          listen.getHostString()
              + " isn't a loopback address, and callers would send registry credentials to it in"
              + " the clear: set tls.certificate and tls.key, or say insecure = true");
    }
    if (!loopback(admin) && token.isEmpty()) {
      settings.problem(
          "admin.listen", "isn't a loopback address: set token-file, for callers to present it");
    }
    long memory = atLeast(settings, "memory", 256L << 20, LEAST_MEMORY);
    long run = atLeast(settings, "run-limit", Math.min(16L << 20, memory / 4), 1);
    if (run > memory / 4) {
      settings.problem("run-limit", "must be at most a quarter of memory");
    }
    long ztoc = atLeast(settings, "ztoc-limit", Math.min(128L << 20, memory / 2), 1);
    if (ztoc > memory / 2 || ztoc > Integer.MAX_VALUE - 1024) {
      settings.problem("ztoc-limit", "must be at most half of memory, and below 2GiB");
    }
    if (memory / 1024 > Integer.MAX_VALUE) {
      settings.problem("memory", "must be below 2TiB");
    }
    FetchCacheConfig config =
        new FetchCacheConfig(
            listen,
            admin,
            settings.path("directory", Path.of("/var/lib/soci-fleet/fetch-cache")),
            atLeast(settings, "limit", 10L << 30, LEAST_LIMIT),
            memory,
            (int) settings.number("requests", 1024, 1, 1_000_000),
            (int) settings.number("connections", 4096, 1, 1_000_000),
            (int) settings.number("registry-requests", 32, 1, 10_000),
            (int) settings.number("registry-queue", 512, 0, 1_000_000),
            patience(settings, "registry-patience"),
            patience(settings, "reader-patience"),
            run,
            authorizationMemory(settings),
            (int) Math.min(ztoc, Integer.MAX_VALUE - 1024),
            token,
            tls,
            peers(settings, insecure),
            RegistrySettings.read(settings, "soci-fleet-cache/1.0.0"));
    if (config.registries().hosts().isEmpty()) {
      settings.problem("registry", "no [[registry]] is configured, so nothing could be fetched");
    }
    settings.finish();
    return config;
  }

  private static long atLeast(Settings settings, String key, long defaultValue, long least) {
    long value = settings.bytes(key, defaultValue);
    if (value < least) {
      settings.problem(key, "must be at least " + least + " bytes");
      return least;
    }
    return value;
  }

  private static Duration patience(Settings settings, String key) {
    Duration value = settings.duration(key, Duration.ofSeconds(30));
    if (value.compareTo(LEAST_PATIENCE) < 0) {
      settings.problem(key, "must be at least 100ms");
    }
    return value;
  }

  private static Duration authorizationMemory(Settings settings) {
    Duration value = settings.duration("authorization-memory", Duration.ofMinutes(1));
    if (value.isNegative() || value.compareTo(Duration.ofHours(1)) > 0) {
      settings.problem(
          "authorization-memory", "must be at most 1h: a revoked credential is good for so long");
    }
    return value;
  }

  private static Optional<Tls> tls(Settings settings) {
    Optional<String> certificate = settings.optional("tls.certificate");
    Optional<String> key = settings.optional("tls.key");
    if (certificate.isPresent() != key.isPresent()) {
      settings.problem("tls.certificate", "needs tls.key, and that needs it");
    }
    return certificate.flatMap(
        chain -> key.map(secret -> new Tls(Path.of(chain), Path.of(secret))));
  }

  private static Optional<PeerConfig> peers(Settings settings, boolean insecure) {
    List<URI> members =
        CacheSettings.members(settings, "peers.members", settings.list("peers.members"), insecure);
    List<String> selfText = settings.optional("peers.self").map(List::of).orElse(List.of());
    List<URI> self = CacheSettings.members(settings, "peers.self", selfText, insecure);
    Optional<Path> authority = settings.optional("peers.ca-file").map(Path::of);
    if (members.isEmpty() && self.isEmpty()) {
      return Optional.empty();
    }
    if (self.size() != 1 || !members.contains(self.getFirst())) {
      settings.problem("peers.self", "must be one of peers.members");
      return Optional.empty();
    }
    return Optional.of(
        new PeerConfig(
            new FleetCacheConfig(
                members, Optional.empty(), authority, FleetCacheConfig.DEFAULT_TIMEOUT),
            self.getFirst()));
  }

  private static boolean loopback(InetSocketAddress address) {
    try {
      return InetAddress.getByName(address.getHostString()).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
