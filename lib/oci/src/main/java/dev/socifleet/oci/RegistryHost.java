package dev.socifleet.oci;

import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A registry of the allow-list. Host and scheme come from here, never from an event or a document.
 *
 * @param host the name by which references and events know it, with its port if it has one
 * @param base where its API is: scheme, host, port; {@code /v2/} follows
 * @param repositories the repositories allowed, {@code *} matching any text; {@code *} alone allows
 *     all
 * @param privateRedirects whether token realms and redirects may lead to private addresses though
 *     the registry isn't on one
 */
public record RegistryHost(
    String host, URI base, List<String> repositories, boolean privateRedirects) {
  private static final Pattern LOOPBACK = Pattern.compile("127(?:\\.\\d{1,3}){3}");

  public RegistryHost {
    repositories = List.copyOf(repositories);
    String scheme = base.getScheme();
    if (base.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
      throw new IllegalArgumentException(
          "registry " + host + ": not an http or https address: " + base);
    }
  }

  /**
   * All repositories of a host, over https; over http where the host is this machine's loopback.
   */
  public static RegistryHost of(String host) {
    String name =
        host.startsWith("[") ? host.substring(0, host.indexOf(']') + 1) : host.split(":", 2)[0];
    boolean loopback =
        name.equals("localhost") || LOOPBACK.matcher(name).matches() || name.equals("[::1]");
    String address = host.equals("docker.io") ? "registry-1.docker.io" : host;
    return new RegistryHost(
        host, URI.create((loopback ? "http://" : "https://") + address), List.of("*"), false);
  }

  boolean allows(String repository) {
    return repositories.stream().anyMatch(pattern -> matches(pattern, repository));
  }

  /** Whether a repository matches a pattern in which {@code *} stands for any text. */
  public static boolean matches(String pattern, String repository) {
    StringBuilder regex = new StringBuilder();
    for (String literal : pattern.split("\\*", -1)) {
      if (!regex.isEmpty()) {
        regex.append(".*");
      }
      regex.append(Pattern.quote(literal));
    }
    return Pattern.matches(regex.toString(), repository);
  }
}
