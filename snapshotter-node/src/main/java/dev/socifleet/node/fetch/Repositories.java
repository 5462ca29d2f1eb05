package dev.socifleet.node.fetch;

import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.oci.RepositoryName;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Repositories that stay open for some minutes: what was learned of a registry's authorization is
 * used again, and credentials are read again before long. Thread-safe.
 */
public final class Repositories {
  private static final int MOST = 256;
  private static final Duration KEPT = Duration.ofMinutes(5);
  // "No authorization needed" costs a request to find out; one that is needed is cached below.
  private static final Duration ANONYMOUS_KEPT = Duration.ofMinutes(1);

  private static final class Opened {
    final Repository repository;
    final long atNanos = System.nanoTime();
    volatile @Nullable Long anonymousAtNanos;

    Opened(Repository repository) {
      this.repository = repository;
    }
  }

  private final Registries registries;
  private final Map<RepositoryName, Opened> opened =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<RepositoryName, Opened> eldest) {
          return size() > MOST;
        }
      };

  public Repositories(Registries registries) {
    this.registries = registries;
  }

  /** Whether the registry is in the allow-list. */
  public boolean allows(RepositoryName name) {
    return registries.allows(name.registry());
  }

  /** The repository under the configured credential. */
  public Repository get(RepositoryName name) throws RegistryException {
    return open(name).repository;
  }

  /** What the cache has to present to the registry in our name; empty for anonymous access. */
  public Optional<String> authorization(RepositoryName name) throws RegistryException {
    Opened of = open(name);
    Long anonymous = of.anonymousAtNanos;
    if (anonymous != null && System.nanoTime() - anonymous < ANONYMOUS_KEPT.toNanos()) {
      return Optional.empty();
    }
    Optional<String> header = of.repository.pullAuthorization();
    of.anonymousAtNanos = header.isEmpty() ? System.nanoTime() : null;
    return header;
  }

  /** The registry refused: credentials are read again at the next use. */
  public void forget(RepositoryName name) {
    synchronized (opened) {
      opened.remove(name);
    }
  }

  private Opened open(RepositoryName name) throws RegistryException {
    synchronized (opened) {
      Opened known = opened.get(name);
      if (known != null && System.nanoTime() - known.atNanos < KEPT.toNanos()) {
        return known;
      }
    }
    // Not under the lock: a credential helper may take its time.
    Opened fresh = new Opened(registries.repository(name));
    synchronized (opened) {
      opened.put(name, fresh);
    }
    return fresh;
  }
}
