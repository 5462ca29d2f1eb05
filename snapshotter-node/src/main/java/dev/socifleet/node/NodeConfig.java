package dev.socifleet.node;

import dev.socifleet.cacheclient.CacheSettings;
import dev.socifleet.cacheclient.FleetCacheConfig;
import dev.socifleet.node.images.ImageRules;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.service.RegistrySettings;
import dev.socifleet.service.Settings;
import dev.socifleet.sociindex.SociIndex;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Settings of the node.
 *
 * <pre>
 * root = "/var/lib/soci-snapshotter-grpc"     # all state; one node at a time
 * socket = "/run/soci-snapshotter-grpc/soci-snapshotter-grpc.sock"   # containerd's end
 * control.socket = "&lt;root&gt;/control.sock"       # the soci command's end
 * admin.listen = "127.0.0.1:7731"             # health, metrics
 * mount-timeout = "30s"       # how long a pull waits for its image's index and zTOCs
 * min-layer-size = "0"        # smaller layers are left to containerd
 * max-ztoc-size = "512MiB"    # without it: that, or a quarter of the heap if that is less
 * pull_modes.soci_v1.enable = true    # look for referrers of the image; off in the existing tool
 * pull_modes.soci_v2.enable = true    # look for the index that a converted image names
 * store-limit = "20GiB"       # of spans kept here; without it: that, or a quarter of the disk
 * fetch.per-registry = 16     # transfers of spans at a time from one registry
 * unpack-limit = "10GiB"      # of one layer's tar that is unpacked for soci mount
 * cache.members = ["http://10.0.0.5:7720"]    # fetch-caches; without them the registry alone
 * cache.token-file = "/etc/soci/fleet-token"
 * [[registry]]                # see RegistrySettings; images of others are left to containerd
 * </pre>
 */
public record NodeConfig(
    Path root,
    Path socket,
    Path controlSocket,
    InetSocketAddress adminListen,
    ImageRules images,
    long storeLimitBytes,
    int transfersPerRegistry,
    long unpackLimitBytes,
    Optional<FleetCacheConfig> cache,
    RegistriesConfig registries) {
  /** What the node says of itself to registries. */
  public static final String USER_AGENT = "soci-fleet-node/1.0.0";

  private static final Path ROOT = Path.of("/var/lib/soci-snapshotter-grpc");
  private static final Path SOCKET =
      Path.of("/run/soci-snapshotter-grpc/soci-snapshotter-grpc.sock");
  private static final long LARGEST_ZTOC = 512L << 20;
  private static final long STORE_LIMIT = 20L << 30;
  private static final long UNPACK_LIMIT = 10L << 30;

  /** Reads everything and fails with all problems. */
  public static NodeConfig from(Settings settings) {
    Path root = settings.path("root", ROOT).toAbsolutePath();
    long maxZtoc =
        settings.bytes(
            "max-ztoc-size", Math.min(LARGEST_ZTOC, Runtime.getRuntime().maxMemory() / 4));
    if (maxZtoc < 1 || maxZtoc > LARGEST_ZTOC) {
      settings.problem("max-ztoc-size", "expected 1 byte to 512MiB");
    }
    Set<SociIndex.Version> versions = EnumSet.noneOf(SociIndex.Version.class);
    if (settings.flag("pull_modes.soci_v1.enable", true)) {
      versions.add(SociIndex.Version.V1);
    }
    if (settings.flag("pull_modes.soci_v2.enable", true)) {
      versions.add(SociIndex.Version.V2);
    }
    NodeConfig config =
        new NodeConfig(
            root,
            settings.path("socket", SOCKET).toAbsolutePath(),
            settings.path("control.socket", root.resolve("control.sock")).toAbsolutePath(),
            settings.address("admin.listen", "127.0.0.1:7731"),
            new ImageRules(
                settings.duration("mount-timeout", Duration.ofSeconds(30)),
                settings.bytes("min-layer-size", 0),
                Math.clamp(maxZtoc, 1, LARGEST_ZTOC),
                versions),
            settings.bytes("store-limit", storeLimit(root)),
            (int) settings.number("fetch.per-registry", 16, 1, 1024),
            settings.bytes("unpack-limit", UNPACK_LIMIT),
            CacheSettings.read(settings),
            RegistrySettings.read(settings, USER_AGENT));
    settings.finish();
    return config;
  }

  private static long storeLimit(Path root) {
    Path there = root;
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    try {
      return Math.min(STORE_LIMIT, Files.getFileStore(there).getTotalSpace() / 4);
    } catch (IOException e) {
      return STORE_LIMIT; // the start will say what is wrong with the directory
    }
  }
}
