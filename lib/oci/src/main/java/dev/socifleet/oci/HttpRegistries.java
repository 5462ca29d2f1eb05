package dev.socifleet.oci;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The registries of the allow-list over HTTP. One client, one token cache for all of them.
 * Thread-safe.
 */
public final class HttpRegistries implements Registries {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final Map<String, RegistryHost> hosts;
  private final Credentials credentials;
  private final RegistriesConfig config;
  private final Map<String, KnownHost> known;
  private final HttpClient client;
  private final Tokens tokens;

  private HttpRegistries(RegistriesConfig config) {
    hosts =
        config.hosts().stream()
            .collect(Collectors.toMap(RegistryHost::host, Function.identity(), (a, b) -> a));
    credentials = config.credentials();
    this.config = config;
    known =
        hosts.keySet().stream()
            .collect(
                Collectors.toMap(
                    Function.identity(), _ -> new KnownHost(config.timeouts().longestWait())));
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    tokens = new Tokens(client, config.userAgent());
  }

  public static HttpRegistries open(RegistriesConfig config) {
    return new HttpRegistries(config);
  }

  @Override
  public Repository repository(RepositoryName name) throws RegistryException {
    return repository(name, credentials.of(name));
  }

  @Override
  public Repository repository(RepositoryName name, Credential credential)
      throws RegistryException {
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
    return new HttpRepository(
        name, new RegistryHttp(client, config, tokens, host, knownHost(host), name, credential));
  }

  private KnownHost knownHost(RegistryHost host) {
    return Objects.requireNonNull(known.get(host.host()));
  }

  /** How many requests this registry gets at a time now. */
  int limit(String registry) {
    KnownHost host = known.get(registry);
    return host == null ? 0 : host.throttle.limit();
  }

  @Override
  public boolean allows(String registry) {
    return hosts.containsKey(registry);
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
