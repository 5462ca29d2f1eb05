package dev.socifleet.indexer;

import dev.socifleet.cacheclient.CacheSettings;
import dev.socifleet.cacheclient.FleetCacheConfig;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.KafkaSettings;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.service.RegistrySettings;
import dev.socifleet.service.Settings;
import dev.socifleet.sociindex.SociTerms;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;

/**
 * Settings of the indexer.
 *
 * <pre>
 * admin.listen = "127.0.0.1:7711"
 * slots = 2                       # layers built at once; the number of processors without it
 * bulk-slots = 1                  # of those that only do what has time
 * span-size = "4MiB"              # uncompressed bytes a span
 * min-layer-size = "10MiB"        # smaller layers get no zTOC
 * publish-v1 = true
 * publish-v2 = true
 * v2-tag = "{tag}-soci"           # must hold {tag}
 * plan-deadline = "1h"            # then a plan ends as failed
 * attempts = 8                    # of a layer, before it ends as failed
 * [cache]                         # see CacheSettings; with it a layer is built once in the fleet
 * [kafka]                         # see KafkaSettings
 * [[registry]]                    # see RegistrySettings
 * </pre>
 */
public record IndexerConfig(
    InetSocketAddress adminListen,
    int slots,
    int bulkSlots,
    Rules rules,
    Duration planDeadline,
    int attempts,
    Optional<FleetCacheConfig> cache,
    KafkaAccess kafka,
    RegistriesConfig registries) {

  /** What decides a plan's bytes; part of its id. Sizes in bytes. */
  public record Rules(long spanSize, long minLayerSize, boolean v1, boolean v2, String v2Tag) {
    public Rules {
      if (spanSize < 1) {
        throw new IllegalArgumentException("a span needs at least 1 byte");
      }
    }
  }

  public static IndexerConfig from(Settings settings) {
    String v2Tag = settings.text("v2-tag", "{tag}-soci");
    if (!v2Tag.contains("{tag}") || v2Tag.equals("{tag}")) {
      settings.problem(
          "v2-tag", "must hold {tag} and more: the converted image needs a tag of its own");
    }
    long spanSize = settings.bytes("span-size", SociTerms.DEFAULT_SPAN_SIZE);
    if (spanSize < 1) {
      settings.problem("span-size", "must be at least 1 byte");
    }
    IndexerConfig config =
        new IndexerConfig(
            settings.address("admin.listen", "127.0.0.1:7711"),
            (int) settings.number("slots", Runtime.getRuntime().availableProcessors(), 1, 256),
            (int) settings.number("bulk-slots", 1, 0, 256),
            new Rules(
                Math.max(1, spanSize),
                settings.bytes("min-layer-size", SociTerms.DEFAULT_MIN_LAYER_SIZE),
                settings.flag("publish-v1", true),
                settings.flag("publish-v2", true),
                v2Tag),
            settings.duration("plan-deadline", Duration.ofHours(1)),
            (int) settings.number("attempts", 8, 1, 100),
            cache(settings),
            KafkaSettings.read(settings),
            RegistrySettings.read(settings, "soci-fleet-indexer/1.0.0"));
    settings.finish();
    return config;
  }

  private static Optional<FleetCacheConfig> cache(Settings settings) {
    Optional<FleetCacheConfig> cache = CacheSettings.read(settings);
    if (cache.isPresent() && cache.get().token().isEmpty()) {
      settings.problem(
          "cache.token-file", "must be set: only who has the fleet token stores zTOCs");
    }
    return cache;
  }
}
