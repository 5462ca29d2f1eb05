package dev.socifleet.cacheclient;

import dev.socifleet.service.FleetToken;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How to reach the fleet's cache.
 *
 * @param members base addresses of all members, at least one; every client and member must have the
 *     same, or a span is fetched more than once
 * @param token the fleet token, for indexers; nodes need none
 * @param authority PEM file of the certificate authority that signed the members' certificates;
 *     those of the JDK without it
 * @param timeout how long to wait for an answer, and for each span of one; a member that says
 *     nothing at all while it sends spans is given up after 5 s
 */
public record FleetCacheConfig(
    List<URI> members, Optional<FleetToken> token, Optional<Path> authority, Duration timeout) {
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  public FleetCacheConfig {
    if (members.isEmpty()) {
      throw new IllegalArgumentException("a cache has at least one member");
    }
    members = members.stream().map(FleetCacheConfig::checked).distinct().toList();
  }

  /** A cache of these members, with what is usual for the rest. */
  public static FleetCacheConfig of(List<URI> members, Optional<FleetToken> token) {
    return new FleetCacheConfig(members, token, Optional.empty(), DEFAULT_TIMEOUT);
  }

  /**
   * The address as it is compared and hashed everywhere: scheme, host, port.
   *
   * @throws IllegalArgumentException when it is something else
   */
  static URI checked(URI member) {
    String scheme = member.getScheme();
    String path = member.getRawPath();
    if (member.getHost() == null
        || !("http".equals(scheme) || "https".equals(scheme))
        || member.getRawUserInfo() != null
        || member.getRawQuery() != null
        || member.getRawFragment() != null
        || !(path == null || path.isEmpty() || path.equals("/"))) {
      throw new IllegalArgumentException(
          "not an address http://host:port or https://host:port: '" + member + "'");
    }
    return URI.create(scheme + "://" + member.getRawAuthority());
  }
}
