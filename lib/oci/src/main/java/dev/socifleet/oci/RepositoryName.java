package dev.socifleet.oci;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A repository of a registry, {@code <host[:port]>/<name>}: the key of Kafka records, what tokens
 * are scoped to.
 *
 * @param registry the host by which users and configuration know the registry, lower case, with its
 *     port if it has one
 * @param name path components separated by slashes (OCI distribution specification, "Pulling
 *     manifests")
 */
public record RepositoryName(String registry, String name) {
  private static final Pattern REGISTRY =
      Pattern.compile("(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?");
  private static final Pattern NAME =
      Pattern.compile(
          "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*");
  private static final int LONGEST_NAME = 255;

  public RepositoryName {
    registry = registry.toLowerCase(Locale.ROOT);
    if (registry.length() > LONGEST_NAME || !REGISTRY.matcher(registry).matches()) {
      throw new IllegalArgumentException("not a registry host: '" + registry + "'");
    }
    if (name.length() > LONGEST_NAME || !NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("not a repository name: '" + name + "'");
    }
  }

  /** Parses {@code host[:port]/name}. */
  public static RepositoryName parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("not <registry>/<repository>: '" + text + "'");
    }
    return new RepositoryName(text.substring(0, slash), text.substring(slash + 1));
  }

  @Override
  public String toString() {
    return registry + "/" + name;
  }
}
