package dev.socifleet.oci;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;

/**
 * Which addresses a registry may send us to: an answer must not make us talk to what only we can
 * reach.
 */
final class Addresses {
  private Addresses() {}

  /**
   * Whether {@code target} may be followed from a registry: public, or the registry is itself on a
   * private address.
   */
  static boolean mayFollow(RegistryHost registry, URI target) {
    String host = target.getHost();
    String scheme = target.getScheme();
    if (host == null || !("http".equals(scheme) || "https".equals(scheme))) {
      return false;
    }
    if (registry.privateRedirects() || host.equalsIgnoreCase(registry.base().getHost())) {
      return true;
    }
    try {
      return isPrivate(registry.base().getHost()) || !isPrivate(host);
    } catch (UnknownHostException e) {
      return true; // the request itself will say that the name can't be resolved
    }
  }

  private static boolean isPrivate(String host) throws UnknownHostException {
    for (InetAddress address : InetAddress.getAllByName(host)) {
      boolean uniqueLocal =
          address.getAddress().length == 16 && (address.getAddress()[0] & 0xfe) == 0xfc;
      if (address.isLoopbackAddress()
          || address.isAnyLocalAddress()
          || address.isLinkLocalAddress()
          || address.isSiteLocalAddress()
          || uniqueLocal) {
        return true;
      }
    }
    return false;
  }
}
