package dev.socifleet.cacheclient;

import dev.socifleet.service.FleetToken;
import dev.socifleet.service.Settings;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The cache as nodes and indexers are told of it.
 *
 * <pre>
 * [cache]
 * members = ["https://cache-0.example:7720"]   # all of them; no cache is used without it
 * token-file = "/etc/soci-fleet/token"         # the fleet token: indexers need it, nodes don't
 * ca-file = "/etc/soci-fleet/ca.pem"           # who signed the members' certificates
 * timeout = "30s"                              # for an answer, and for each span of one
 * insecure = false                             # http to members that aren't on this machine
 * </pre>
 */
public final class CacheSettings {
  private CacheSettings() {}

  /** Reads the section; empty when no members are named. Problems are noted in the settings. */
  public static Optional<FleetCacheConfig> read(Settings settings) {
    List<String> texts = settings.list("cache.members");
    Optional<FleetToken> token = token(settings, "cache.token");
    Optional<Path> authority = settings.optional("cache.ca-file").map(Path::of);
    Duration timeout = settings.duration("cache.timeout", FleetCacheConfig.DEFAULT_TIMEOUT);
    if (timeout.compareTo(Duration.ofMillis(100)) < 0) {
      settings.problem("cache.timeout", "must be at least 100ms");
    }
    boolean insecure = settings.flag("cache.insecure", false);
    List<URI> members = members(settings, "cache.members", texts, insecure);
    return members.isEmpty()
        ? Optional.empty()
        : Optional.of(new FleetCacheConfig(members, token, authority, timeout));
  }

  /** The addresses under a key; what is wrong with them is noted. */
  public static List<URI> members(
      Settings settings, String key, List<String> texts, boolean insecure) {
    List<URI> members = new ArrayList<>();
    for (String text : texts) {
      try {
        URI member = FleetCacheConfig.checked(URI.create(text));
        if (!insecure && member.getScheme().equals("http") && !loopback(member)) {
          settings.problem(
              key,
              text
                  + " isn't on this machine, and registry credentials would be sent to it in the"
                  + " clear: use https, or say insecure = true");
        }
        members.add(member);
      } catch (IllegalArgumentException e) {
        settings.problem(key, String.valueOf(e.getMessage()));
      }
    }
    return members;
  }

  /** The fleet token under a key, or in the file that {@code key-file} names. */
  public static Optional<FleetToken> token(Settings settings, String key) {
    try {
      return settings.secret(key).map(secret -> FleetToken.of(secret.reveal().strip()));
    } catch (IllegalArgumentException e) {
      settings.problem(key, String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static boolean loopback(URI member) {
    try {
      return InetAddress.getByName(member.getHost()).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
