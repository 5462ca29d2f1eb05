package dev.socifleet.cacheclient;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.FleetCache.SpanSink;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.FleetToken;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * One member of the cache, asked over HTTP. What it sends is checked here again. A member that
 * fails is left alone for a while ({@link MemberExchange}). Thread-safe.
 */
public final class CacheMember {
  /** The longest zTOC that is taken from a member, in bytes. */
  public static final long LARGEST_ZTOC = 256L << 20;

  private final CacheMembers members;
  private final URI uri;
  private final Optional<FleetToken> token;
  private final MemberExchange exchange;

  CacheMember(CacheMembers members, URI uri, Optional<FleetToken> token, LongSupplier nanos) {
    this.members = members;
    this.uri = uri;
    this.token = token;
    exchange = new MemberExchange(members, uri, nanos);
  }

  public URI uri() {
    return uri;
  }

  /** Whether it failed so lately that it isn't asked now. */
  public boolean quiet() {
    return exchange.quiet();
  }

  /**
   * Spans of one blob, at most {@link SpanList#MOST_SPANS}, each verified before {@code sink} sees
   * it, in their order. What the sink throws comes out as it is.
   */
  public void spans(SpanQuestion question, List<SpanRange> spans, SpanSink sink)
      throws IOException {
    String query =
        "?repository="
            + encode(question.repository().toString())
            + "&blob="
            + encode(question.blob().toString());
    HttpRequest.Builder request =
        request("/v1/spans" + query)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(new SpanList(spans).toJson()));
    switch (question.terms()) {
      case ANY -> {}
      case ONLY_IF_CACHED -> request.header("Cache-Control", CacheHeaders.ONLY_IF_CACHED);
      case FORWARDED -> request.header(CacheHeaders.FORWARDED, "1");
    }
    authorize(request, question.registryAuthorization());
    exchange.call(
        request.build(),
        members.silence(),
        answer -> {
          if (answer.statusCode() != 200) {
            throw MemberRefusal.of(answer);
          }
          readSpans(answer.body(), spans, sink);
          return true;
        });
  }

  private void readSpans(InputStream from, List<SpanRange> spans, SpanSink sink)
      throws IOException {
    InputStream body = new BufferedInputStream(from, 64 << 10);
    for (SpanRange span : spans) {
      byte[] bytes;
      try {
        bytes = SpanFrames.readSpan(body, span, members.timeout());
      } catch (SpanFrames.ErrorFrameException e) {
        throw MemberRefusal.of(e);
      }
      if (!Digest.of(bytes).equals(span.span())) {
        throw new IOException("other bytes than those of span " + span.span());
      }
      try {
        sink.accept(span, bytes);
      } catch (IOException e) {
        throw new MemberExchange.SinkFailure(e);
      }
    }
    SpanFrames.readEnd(body);
  }

  /**
   * A zTOC that it has.
   *
   * @param repository for whom; empty for a holder of the fleet token
   */
  public Optional<byte[]> ztoc(
      Digest layer,
      long spanSizeBytes,
      Optional<RepositoryName> repository,
      Optional<String> registryAuthorization)
      throws IOException {
    String query = repository.map(name -> "?repository=" + encode(name.toString())).orElse("");
    HttpRequest.Builder request = request(path("ztocs", layer, spanSizeBytes) + query).GET();
    authorize(request, registryAuthorization);
    if (repository.isEmpty()) {
      presentToken(request);
    }
    return exchange.call(
        request.build(),
        members.timeout(),
        answer -> {
          if (answer.statusCode() == 404) {
            return Optional.empty();
          }
          if (answer.statusCode() != 200) {
            throw MemberRefusal.of(answer);
          }
          OptionalLong length = answer.headers().firstValueAsLong("Content-Length");
          if (length.isEmpty() || length.getAsLong() < 0 || length.getAsLong() > LARGEST_ZTOC) {
            throw new IOException("a zTOC of a size that can't be: " + length);
          }
          byte[] ztoc = answer.body().readNBytes((int) length.getAsLong());
          String digest = answer.headers().firstValue("Docker-Content-Digest").orElse("");
          if (ztoc.length != length.getAsLong() || !Digest.of(ztoc).toString().equals(digest)) {
            throw new IOException("a zTOC that isn't the one of digest '" + digest + "'");
          }
          return Optional.of(ztoc);
        });
  }

  public void putZtoc(Digest layer, long spanSizeBytes, byte[] ztoc) throws IOException {
    HttpRequest.Builder request =
        request(path("ztocs", layer, spanSizeBytes))
            .header("Content-Type", "application/octet-stream")
            .PUT(HttpRequest.BodyPublishers.ofByteArray(ztoc));
    presentToken(request);
    exchange.call(
        request.build(),
        members.timeout(),
        answer -> {
          if (answer.statusCode() != 201 && answer.statusCode() != 204) {
            throw MemberRefusal.of(answer);
          }
          return true;
        });
  }

  /** Takes or renews a lease; false when another holder has it. */
  public boolean lease(Digest layer, long spanSizeBytes, String holder, Duration duration)
      throws IOException {
    String query = "?holder=" + encode(holder) + "&seconds=" + Math.max(1, duration.toSeconds());
    HttpRequest.Builder request =
        request(path("leases", layer, spanSizeBytes) + query)
            .POST(HttpRequest.BodyPublishers.noBody());
    presentToken(request);
    return exchange.call(
        request.build(),
        members.timeout(),
        answer ->
            switch (answer.statusCode()) {
              case 200 -> true;
              case 409 -> false;
              default -> throw MemberRefusal.of(answer);
            });
  }

  public void release(Digest layer, long spanSizeBytes, String holder) throws IOException {
    HttpRequest.Builder request =
        request(path("leases", layer, spanSizeBytes) + "?holder=" + encode(holder)).DELETE();
    presentToken(request);
    exchange.call(
        request.build(),
        members.timeout(),
        answer -> {
          if (answer.statusCode() != 204) {
            throw MemberRefusal.of(answer);
          }
          return true;
        });
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(uri + path));
  }

  private static String path(String kind, Digest layer, long spanSizeBytes) {
    return "/v1/" + kind + "/" + layer + "/" + spanSizeBytes;
  }

  private static void authorize(HttpRequest.Builder request, Optional<String> authorization)
      throws CacheUnavailableException {
    if (authorization.isPresent()) {
      try {
        request.header(CacheHeaders.REGISTRY_AUTHORIZATION, authorization.get());
      } catch (IllegalArgumentException e) {
        // Its message would show the credential.
        throw new CacheUnavailableException(
            "the registry's Authorization can't be sent in a header", null);
      }
    }
  }

  private void presentToken(HttpRequest.Builder request) throws CacheUnavailableException {
    if (token.isEmpty()) {
      throw new CacheUnavailableException(
          "the cache gives this to holders of the fleet token; set cache.token-file", null);
    }
    request.header("Authorization", token.get().authorization());
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
