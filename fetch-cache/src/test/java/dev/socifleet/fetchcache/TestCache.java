package dev.socifleet.fetchcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.FleetCacheConfig;
import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.FleetToken;
import dev.socifleet.service.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A running cache in front of a registry, and its real client. */
final class TestCache implements AutoCloseable {
  static final FleetToken TOKEN = FleetToken.of("the-fleet-token-of-the-tests");

  final FetchCache cache;
  final HttpFleetCache client;
  private final StrictRegistry registry;
  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

  /**
   * @param more settings, {@code key=value}, beside or instead of the tests' own
   */
  TestCache(Path directory, StrictRegistry registry, String... more) throws IOException {
    this.registry = registry;
    cache = FetchCache.start(FetchCacheConfig.from(settings(directory, registry, more)));
    client = client(Optional.of(TOKEN), uri());
  }

  static Settings settings(Path directory, StrictRegistry registry, String... more)
      throws IOException {
    Files.createDirectories(directory);
    Path token = directory.resolve("token");
    Files.writeString(token, TOKEN.authorization().substring("Bearer ".length()));
    Map<String, String> settings = new HashMap<>();
    settings.put("listen", "127.0.0.1:0");
    settings.put("admin.listen", "127.0.0.1:0");
    settings.put("directory", directory.resolve("cache").toString());
    settings.put("limit", "256MiB");
    settings.put("token-file", token.toString());
    settings.put("registry.0.host", registry.host());
    for (String line : more) {
      int equals = line.indexOf('=');
      settings.put(line.substring(0, equals), line.substring(equals + 1));
    }
    return Settings.of(settings);
  }

  static HttpFleetCache client(Optional<FleetToken> token, URI... members) throws IOException {
    return HttpFleetCache.open(
        new FleetCacheConfig(
            List.of(members), token, Optional.empty(), FleetCacheConfig.DEFAULT_TIMEOUT));
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + cache.port());
  }

  RepositoryName repository(String name) {
    return new RepositoryName(registry.host(), name);
  }

  /** Spans as the client gives them, anonymously without an authorization. */
  List<byte[]> get(String repository, Digest blob, List<SpanRange> spans, String... authorization)
      throws IOException {
    List<byte[]> got = new ArrayList<>();
    client.spans(
        repository(repository),
        blob,
        spans,
        Optional.of(List.of(authorization)).filter(list -> !list.isEmpty()).map(List::getFirst),
        (span, bytes) -> got.add(bytes));
    return got;
  }

  /** A request to the cache's port, with headers as name, value, name, value …. */
  HttpResponse<String> send(String method, String path, byte[] body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(uri() + path))
            .timeout(Duration.ofMinutes(2))
            .method(
                method,
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** One span by the plain request; the status tells. */
  HttpResponse<String> getOne(String repository, Digest blob, SpanRange span, String... headers)
      throws IOException, InterruptedException {
    String path =
        "/v1/spans/"
            + span.span()
            + "?repository="
            + repository(repository)
            + "&blob="
            + blob
            + "&range="
            + span.range().toHttp();
    return send("GET", path, new byte[0], headers);
  }

  /** The sum of a counter's or gauge's series whose line begins so, 0 when there is none. */
  double metric(String name) {
    return admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /** Waits until nothing is under way any more; what is held for good makes this fail. */
  void awaitNothingHeld() {
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() ->
            assertThat(List.of("memory_bytes", "flights", "requests_in_flight"))
                .as(this::metrics)
                .allMatch(name -> metric("soci_cache_" + name) == 0));
  }

  /** All of the cache's own, for messages. */
  String metrics() {
    return admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("soci_cache_"))
        .collect(Collectors.joining("\n", "\n", ""));
  }

  /** A series by its one label. */
  double metric(String name, String label, String value) {
    return admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + "{" + label + "=\"" + value + "\"}"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  HttpResponse<String> admin(String path) {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + cache.adminPort() + path))
              .timeout(Duration.ofMinutes(2))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    client.close();
    cache.close();
    http.shutdownNow();
  }
}
