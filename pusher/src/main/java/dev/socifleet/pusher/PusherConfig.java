package dev.socifleet.pusher;

import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.KafkaSettings;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.service.RegistrySettings;
import dev.socifleet.service.Settings;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * Settings of the pusher.
 *
 * <pre>
 * admin.listen = "127.0.0.1:7712"
 * carry-over = "10m"   # a plan open for so long is appended again, so that it holds no offset back
 * [kafka]              # see KafkaSettings
 * [[registry]]         # see RegistrySettings
 * </pre>
 */
public record PusherConfig(
    InetSocketAddress adminListen,
    Duration carryOver,
    KafkaAccess kafka,
    RegistriesConfig registries) {
  public static PusherConfig from(Settings settings) {
    PusherConfig config =
        new PusherConfig(
            settings.address("admin.listen", "127.0.0.1:7712"),
            settings.duration("carry-over", Duration.ofMinutes(10)),
            KafkaSettings.read(settings),
            RegistrySettings.read(settings, "soci-fleet-pusher/1.0.0"));
    settings.finish();
    return config;
  }
}
