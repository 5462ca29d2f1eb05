package dev.socifleet.oci;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * HTTP clients, one for each way to connect. One whose certificates were renewed ends when nobody
 * holds it any more, as the JDK's clients do by themselves. Thread-safe.
 */
final class Clients implements AutoCloseable {
  private final ProxySelector proxies;
  private final Map<Tls, HttpClient> all = new HashMap<>();

  Clients(ProxySelector proxies) {
    this.proxies = proxies;
  }

  synchronized HttpClient of(Endpoint endpoint) throws RegistryException {
    Tls tls = endpoint.tls();
    HttpClient known = all.get(tls);
    if (known != null) {
      return known;
    }
    HttpClient client;
    try {
      client =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .connectTimeout(tls.connectTimeout())
              .proxy(proxies)
              .sslContext(tls.context())
              .executor(Executors.newVirtualThreadPerTaskExecutor())
              .build();
    } catch (IOException e) {
      throw new RegistryException(
          "cannot use " + endpoint.base().getAuthority() + ": " + e.getMessage(),
          0,
          List.of(),
          false,
          null,
          e);
    }
    // Not shut down: repositories that are open go on with it.
    all.keySet().removeIf(older -> older.isOlderThan(tls));
    all.put(tls, client);
    return client;
  }

  @Override
  public synchronized void close() {
    all.values().forEach(HttpClient::shutdownNow);
  }
}
