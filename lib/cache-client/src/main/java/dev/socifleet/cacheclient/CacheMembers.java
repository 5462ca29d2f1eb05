package dev.socifleet.cacheclient;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The members of a cache and the one HTTP client that asks them. An answer that doesn't begin, or
 * stops in its middle, for too long is given up. Thread-safe.
 */
public final class CacheMembers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CacheMembers.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /**
   * A member that sends spans says every two seconds that it is still at it; one that says nothing
   * for this long is gone.
   */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);

  private final Duration timeout;
  private final Duration silence;
  private final Map<URI, CacheMember> members;
  private final HttpClient client;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final StallWatch stalls;

  private CacheMembers(FleetCacheConfig config, Duration silence, LongSupplier nanos)
      throws IOException {
    timeout = config.timeout();
    this.silence = silence;
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(shorter(timeout, CONNECT_TIMEOUT))
            .executor(threads)
            .sslContext(CacheTls.context(config.authority()))
            .build();
    stalls = new StallWatch(silence);
    members =
        config.members().stream()
            .collect(
                Collectors.toMap(
                    Function.identity(), uri -> new CacheMember(this, uri, config.token(), nanos)));
  }

  /**
   * Opens no connection yet.
   *
   * @throws IOException when the certificate authority's file can't be used
   */
  public static CacheMembers open(FleetCacheConfig config) throws IOException {
    return open(config, shorter(config.timeout(), LONGEST_SILENCE), System::nanoTime);
  }

  static CacheMembers open(FleetCacheConfig config, Duration silence, LongSupplier nanos)
      throws IOException {
    return new CacheMembers(config, silence, nanos);
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /** One of the configured members. */
  public CacheMember member(URI uri) {
    CacheMember member = members.get(FleetCacheConfig.checked(uri));
    if (member == null) {
      throw new IllegalArgumentException("not a member: " + uri);
    }
    return member;
  }

  /** How long an answer may take, and each span of one. */
  Duration timeout() {
    return timeout;
  }

  /** How long a member that says that it is at it may say nothing. */
  Duration silence() {
    return silence;
  }

  /**
   * Sends a request; the caller closes the body.
   *
   * @param patience how long to wait for the answer's head
   */
  HttpResponse<InputStream> send(HttpRequest request, Duration patience)
      throws IOException, InterruptedException, TimeoutException {
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(
            request,
            info ->
                HttpResponse.BodySubscribers.mapping(
                    HttpResponse.BodySubscribers.ofInputStream(), stalls::watch));
    try {
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException cause
          ? new IOException(
              cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause)
          : new IOException(String.valueOf(e.getCause()), e.getCause());
    } catch (InterruptedException | TimeoutException e) {
      answer.cancel(true);
      var _ = answer.whenComplete((late, failure) -> closeLate(late));
      throw e;
    }
  }

  /** An answer that came just when its time was over. */
  private static void closeLate(@Nullable HttpResponse<InputStream> late) {
    if (late != null) {
      try {
        late.body().close();
      } catch (IOException e) {
        LOG.trace("an answer that came too late broke off: {}", e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    stalls.close();
    client.shutdownNow();
    threads.shutdownNow();
  }
}
