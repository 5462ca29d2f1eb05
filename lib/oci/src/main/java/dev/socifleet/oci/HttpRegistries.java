package dev.socifleet.oci;

import java.net.ProxySelector;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The registries of the allow-list over HTTP, with their mirrors. One token cache for all of them.
 * Thread-safe.
 */
public final class HttpRegistries implements Registries {
  private final Map<String, RegistryHost> hosts;
  private final RegistriesConfig config;
  private final Map<URI, KnownHost> known = new ConcurrentHashMap<>();
  private final Clients clients;
  private final Tokens tokens;

  private HttpRegistries(RegistriesConfig config, ProxySelector proxies) {
    clients = new Clients(proxies);
    hosts =
        config.hosts().stream()
            .collect(Collectors.toMap(RegistryHost::host, Function.identity(), (a, b) -> a));
    this.config = config;
    tokens = new Tokens(config.userAgent());
  }

  public static HttpRegistries open(RegistriesConfig config) {
    return open(config, new EnvironmentProxies(System.getenv()));
  }

  static HttpRegistries open(RegistriesConfig config, ProxySelector proxies) {
    return new HttpRegistries(config, proxies);
  }

  @Override
  public Repository repository(RepositoryName name) throws RegistryException {
    RegistryHost host = allowed(name);
    List<Endpoint> endpoints = config.hostsDirectory().endpoints(host);
    Identity identity = new Identity(() -> config.credentials().of(name));
    List<RegistryHttp> all = new java.util.ArrayList<>();
    for (Endpoint endpoint : endpoints) {
      all.add(
          http(host, endpoint, name, endpoint.isMirror() ? mirrored(endpoint, name) : identity));
    }
    return new HttpRepository(name, new Hosts(all.subList(0, all.size() - 1), all.getLast()));
  }

  @Override
  public Repository repository(RepositoryName name, Credential credential)
      throws RegistryException {
    return repository(name, Identity.of(credential));
  }

  Repository repository(RepositoryName name, Identity identity) throws RegistryException {
    RegistryHost host = allowed(name);
    Endpoint registry = config.hostsDirectory().endpoints(host).getLast();
    return new HttpRepository(name, new Hosts(List.of(), http(host, registry, name, identity)));
  }

  private RegistryHost allowed(RepositoryName name) throws RegistryException {
    RegistryHost host = hosts.get(name.registry());
    if (host == null || !host.allows(name.name())) {
      throw new RegistryException(
          "cannot use "
              + name
              + ": "
              + (host == null ? "its registry" : "this repository")
              + " isn't in the list of allowed ones",
          0,
          List.of(),
          false,
          null,
          null);
    }
    return host;
  }

  /** A mirror gets the credential that there is for it, never the registry's. */
  private Identity mirrored(Endpoint mirror, RepositoryName name) {
    return new Identity(() -> {
      try {
        return config
            .credentials()
            .of(new RepositoryName(mirror.base().getAuthority(), name.name()));
      } catch (IllegalArgumentException e) {
        return new Credential.Anonymous(); // no name under which anybody could have logged in
      }
    });
  }

  private RegistryHttp http(
      RegistryHost host, Endpoint endpoint, RepositoryName name, Identity identity)
      throws RegistryException {
    return new RegistryHttp(
        clients.of(endpoint),
        config,
        tokens,
        endpoint,
        host.privateRedirects(),
        known(endpoint.base()),
        name,
        identity);
  }

  private KnownHost known(URI base) {
    return known.computeIfAbsent(base, _ -> new KnownHost(config.timeouts().longestWait()));
  }

  /** How many requests this registry itself gets at a time now. */
  int limit(String registry) {
    RegistryHost host = hosts.get(registry);
    return host == null ? 0 : known(Endpoint.of(host).base()).throttle.limit();
  }

  @Override
  public boolean allows(String registry) {
    return hosts.containsKey(registry);
  }

  @Override
  public void close() {
    clients.close();
  }
}
