package dev.socifleet.oci;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * Which addresses a registry may send us to: an answer must not make us talk to what only we can
 * reach.
 *
 * <p>A name is looked up here and again for the connection, so a registry in league with its name
 * server could still change it in between: the JDK's client can't be told the address to use.
 */
final class Addresses {
  private Addresses() {}

  /**
   * Whether {@code target} may be followed from a host: public, or the host is itself on a private
   * address, or the operator allows it.
   */
  static boolean mayFollow(URI from, boolean privateRedirects, URI target) {
    String host = target.getHost();
    String scheme = target.getScheme();
    if (host == null || !("http".equals(scheme) || "https".equals(scheme))) {
      return false;
    }
    if (privateRedirects || host.equalsIgnoreCase(from.getHost())) {
      return true;
    }
    try {
      return isPrivate(from.getHost()) || !isPrivate(host);
    } catch (UnknownHostException e) {
      return true; // the request itself will say that the name can't be resolved
    }
  }

  private static boolean isPrivate(String host) throws UnknownHostException {
    for (InetAddress address : InetAddress.getAllByName(host)) {
      if (isPrivate(address)) {
        return true;
      }
    }
    return false;
  }

  static boolean isPrivate(InetAddress address) {
    if (address.isLoopbackAddress()
        || address.isAnyLocalAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()) {
      return true;
    }
    byte[] bytes = address.getAddress();
    if (bytes.length == 4) {
      int first = bytes[0] & 0xff;
      int second = bytes[1] & 0xff;
      return first == 0 // "this network" (RFC 6890)
          || (first == 100 && (second & 0xc0) == 64) // shared address space (RFC 6598)
          || first >= 240; // reserved, broadcast
    }
    return (bytes[0] & 0xfe) == 0xfc // unique local (RFC 4193)
        || isPrivateInside(bytes);
  }

  /** An IPv4 address inside an IPv6 one: NAT64 {@code 64:ff9b::/96}, 6to4 {@code 2002::/16}. */
  private static boolean isPrivateInside(byte[] bytes) {
    byte[] nat64 = {0, 0x64, (byte) 0xff, (byte) 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
    int at;
    if (Arrays.equals(bytes, 0, 12, nat64, 0, 12)) {
      at = 12;
    } else if (bytes[0] == 0x20 && bytes[1] == 0x02) {
      at = 2;
    } else {
      return false;
    }
    try {
      return isPrivate(InetAddress.getByAddress(Arrays.copyOfRange(bytes, at, at + 4)));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("four bytes are an address", e);
    }
  }
}
