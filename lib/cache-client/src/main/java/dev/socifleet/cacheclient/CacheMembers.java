package dev.socifleet.cacheclient;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The members of a cache and the one HTTP client that asks them. An answer that doesn't begin, or
 * stops in its middle, for longer than the timeout is given up. Thread-safe.
 */
public final class CacheMembers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CacheMembers.class);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  private final Duration timeout;
  private final Map<URI, CacheMember> members;
  private final HttpClient client;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Set<WatchedStream> open = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("cache-watch").daemon().factory());

  private CacheMembers(FleetCacheConfig config, SSLContext tls) {
    timeout = config.timeout();
    members =
        config.members().stream()
            .collect(
                Collectors.toMap(
                    Function.identity(), uri -> new CacheMember(this, uri, config.token())));
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(timeout.compareTo(CONNECT_TIMEOUT) < 0 ? timeout : CONNECT_TIMEOUT)
            .executor(threads)
            .sslContext(tls)
            .build();
    long period = Math.max(20, timeout.toMillis() / 4);
    var _ = watch.scheduleWithFixedDelay(this::cutStalled, period, period, TimeUnit.MILLISECONDS);
  }

  /**
   * Opens no connection yet.
   *
   * @throws IOException when the certificate authority's file can't be used
   */
  public static CacheMembers open(FleetCacheConfig config) throws IOException {
    return new CacheMembers(config, tls(config.authority()));
  }

  /** One of the configured members. */
  public CacheMember member(URI uri) {
    CacheMember member = members.get(FleetCacheConfig.checked(uri));
    if (member == null) {
      throw new IllegalArgumentException("not a member: " + uri);
    }
    return member;
  }

  Duration timeout() {
    return timeout;
  }

  /** Sends a request; the caller closes the body. */
  HttpResponse<InputStream> send(HttpRequest request)
      throws IOException, InterruptedException, TimeoutException {
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(
            request,
            info ->
                HttpResponse.BodySubscribers.mapping(
                    HttpResponse.BodySubscribers.ofInputStream(), WatchedStream::new));
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
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

  private void cutStalled() {
    long now = System.nanoTime();
    for (WatchedStream stream : open) {
      if (stream.reading && now - stream.since > timeout.toNanos()) {
        stream.cut();
      }
    }
  }

  /** A body; while somebody waits for its next byte, the time runs. */
  private final class WatchedStream extends FilterInputStream {
    private volatile boolean reading;
    private volatile long since = System.nanoTime();

    WatchedStream(InputStream body) {
      super(body);
      open.add(this);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      since = System.nanoTime();
      reading = true;
      try {
        return super.read(into, offset, length);
      } catch (IOException e) {
        if (System.nanoTime() - since > timeout.toNanos()) {
          throw new IOException("no byte for " + timeout.toMillis() + " ms", e);
        }
        throw e;
      } finally {
        reading = false;
      }
    }

    void cut() {
      try {
        super.close(); // ends the read that waits
      } catch (IOException e) {
        reading = false; // the reader learns of it by its own read
      }
    }

    @Override
    public void close() throws IOException {
      open.remove(this);
      super.close();
    }
  }

  private static SSLContext tls(Optional<Path> authority) throws IOException {
    try {
      if (authority.isEmpty()) {
        return SSLContext.getDefault();
      }
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      List<? extends Certificate> certificates;
      try (InputStream pem = Files.newInputStream(authority.get())) {
        certificates =
            List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(pem));
      }
      if (certificates.isEmpty()) {
        throw new IOException("it holds no certificate");
      }
      for (int i = 0; i < certificates.size(); i++) {
        trusted.setCertificateEntry("authority-" + i, certificates.get(i));
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new IOException(
          "cannot use the certificate authority of the cache"
              + authority.map(path -> " in " + path).orElse("")
              + ": "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public void close() {
    watch.shutdownNow();
    client.shutdownNow();
    threads.shutdownNow();
  }
}
