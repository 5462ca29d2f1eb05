package dev.socifleet.oci;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The proxies of {@code HTTP_PROXY}, {@code HTTPS_PROXY} and {@code NO_PROXY} (or in lower case),
 * read as Go's programs read them, containerd among them; this machine itself is never asked
 * through one. Thread-safe.
 *
 * <p>{@code NO_PROXY} is a list of hosts ({@code a.example} and what is below it, {@code
 * .a.example} only what is below it), addresses, networks ({@code 10.0.0.0/8}), each with a port if
 * it is meant for that only, or {@code *}.
 */
final class EnvironmentProxies extends ProxySelector {
  private static final Logger LOG = LoggerFactory.getLogger(EnvironmentProxies.class);
  private static final List<Proxy> DIRECT = List.of(Proxy.NO_PROXY);

  private final List<Proxy> http;
  private final List<Proxy> https;
  private final List<String> direct;

  EnvironmentProxies(Map<String, String> environment) {
    http = proxy(environment, "HTTP_PROXY");
    https = proxy(environment, "HTTPS_PROXY");
    direct =
        Arrays.stream(variable(environment, "NO_PROXY").split(","))
            .map(entry -> entry.strip().toLowerCase(Locale.ROOT))
            .filter(entry -> !entry.isEmpty())
            .toList();
  }

  private static String variable(Map<String, String> environment, String name) {
    return Stream.of(name, name.toLowerCase(Locale.ROOT))
        .map(each -> environment.getOrDefault(each, ""))
        .filter(value -> !value.isEmpty())
        .findFirst()
        .orElse("");
  }

  private static List<Proxy> proxy(Map<String, String> environment, String name) {
    String text = variable(environment, name);
    if (text.isEmpty()) {
      return DIRECT;
    }
    try {
      URI address = URI.create(text.contains("://") ? text : "http://" + text);
      if (address.getHost() != null && "http".equalsIgnoreCase(address.getScheme())) {
        int port = address.getPort() < 0 ? 80 : address.getPort();
        return List.of(
            new Proxy(
                Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port)));
      }
    } catch (IllegalArgumentException e) {
      LOG.trace("not an address", e);
    }
    // Not its value: it may hold a password.
    LOG.warn("{} isn't http://host:port; going on without that proxy", name);
    return DIRECT;
  }

  @Override
  public List<Proxy> select(URI target) {
    List<Proxy> proxies = "https".equalsIgnoreCase(target.getScheme()) ? https : http;
    return isDirect(target) ? DIRECT : proxies;
  }

  private boolean isDirect(URI target) {
    String host = target.getHost().toLowerCase(Locale.ROOT).replaceAll("^\\[|\\]$", "");
    int port =
        target.getPort() >= 0
            ? target.getPort()
            : "https".equalsIgnoreCase(target.getScheme()) ? 443 : 80;
    Optional<InetAddress> address = literal(host);
    return host.equals("localhost")
        || address.filter(InetAddress::isLoopbackAddress).isPresent()
        || direct.stream().anyMatch(entry -> matches(entry, host, port, address));
  }

  private static boolean matches(
      String entry, String host, int port, Optional<InetAddress> address) {
    if (entry.equals("*")) {
      return true;
    }
    if (entry.contains("/")) {
      return address.isPresent() && isInside(entry, address.get());
    }
    String name = entry;
    int colon = entry.lastIndexOf(':');
    boolean hasPort = colon >= 0 && (entry.indexOf(':') == colon || entry.startsWith("["));
    if (hasPort && !entry.endsWith("]")) {
      if (!entry.substring(colon + 1).equals(String.valueOf(port))) {
        return false;
      }
      name = entry.substring(0, colon);
    }
    name = name.replaceAll("^\\*\\.", ".").replaceAll("^\\[|\\]$", "");
    if (address.isPresent()) {
      return literal(name).equals(address);
    }
    return name.startsWith(".")
        ? host.endsWith(name)
        : host.equals(name) || host.endsWith("." + name);
  }

  private static boolean isInside(String network, InetAddress address) {
    String[] parts = network.split("/", 2);
    Optional<InetAddress> base = literal(parts[0]);
    if (base.isEmpty() || !parts[1].matches("\\d{1,3}")) {
      return false;
    }
    byte[] a = base.get().getAddress();
    byte[] b = address.getAddress();
    int bits = Integer.parseInt(parts[1]);
    if (a.length != b.length || bits > 8 * a.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      int mask = 0x80 >> (bit % 8);
      if (((a[bit / 8] ^ b[bit / 8]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  /** An address that is written as one; names are not looked up. */
  private static Optional<InetAddress> literal(String host) {
    boolean written = host.contains(":") || host.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    try {
      return written ? Optional.of(InetAddress.ofLiteral(host)) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  @Override
  public void connectFailed(URI target, SocketAddress proxy, IOException failure) {
    LOG.debug("proxy {} can't be reached: {}", proxy, failure.getMessage());
  }
}
