package dev.socifleet.cacheclient;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.FleetCache.SpanSink;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.FleetToken;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One member of the cache, asked over HTTP. What it sends is checked here again. A member that
 * fails is left alone for a while ({@link BackOff}): until then each call fails at once.
 * Thread-safe.
 */
public final class CacheMember {
  /** The longest zTOC that is taken from a member, in bytes. */
  public static final long LARGEST_ZTOC = 256L << 20;

  private static final int LARGEST_ERROR = 64 << 10;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
  private static final JsonMapper JSON = new JsonMapper();

  private final CacheMembers members;
  private final URI uri;
  private final Optional<FleetToken> token;
  private final BackOff backOff;

  CacheMember(CacheMembers members, URI uri, Optional<FleetToken> token) {
    this.members = members;
    this.uri = uri;
    this.token = token;
    // A try that fails takes two timeouts at most: to the answer, and to a byte in its middle.
    backOff = new BackOff(members.timeout().multipliedBy(2));
  }

  public URI uri() {
    return uri;
  }

  /** Whether it failed so lately that it isn't asked now. */
  public boolean quiet() {
    return backOff.quiet();
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
    exchange(
        request.build(),
        answer -> {
          if (answer.statusCode() != 200) {
            throw refusal(answer);
          }
          InputStream body = new BufferedInputStream(answer.body(), 64 << 10);
          for (SpanRange span : spans) {
            byte[] bytes;
            try {
              bytes = SpanFrames.readSpan(body, span);
            } catch (SpanFrames.ErrorFrameException e) {
              throw refusal(e.status(), e.getMessage(), Optional.empty());
            }
            if (!Digest.of(bytes).equals(span.span())) {
              throw new IOException("other bytes than those of span " + span.span());
            }
            try {
              sink.accept(span, bytes);
            } catch (IOException e) {
              throw new SinkFailure(e);
            }
          }
          SpanFrames.readEnd(body);
          return true;
        });
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
    return exchange(
        request.build(),
        answer -> {
          if (answer.statusCode() == 404) {
            return Optional.empty();
          }
          if (answer.statusCode() != 200) {
            throw refusal(answer);
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
    exchange(
        request.build(),
        answer -> {
          if (answer.statusCode() != 201 && answer.statusCode() != 204) {
            throw refusal(answer);
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
    return exchange(
        request.build(),
        answer ->
            switch (answer.statusCode()) {
              case 200 -> true;
              case 409 -> false;
              default -> throw refusal(answer);
            });
  }

  public void release(Digest layer, long spanSizeBytes, String holder) throws IOException {
    HttpRequest.Builder request =
        request(path("leases", layer, spanSizeBytes) + "?holder=" + encode(holder)).DELETE();
    presentToken(request);
    exchange(
        request.build(),
        answer -> {
          if (answer.statusCode() != 204) {
            throw refusal(answer);
          }
          return true;
        });
  }

  @FunctionalInterface
  private interface Reading<T> {
    T of(HttpResponse<InputStream> answer) throws IOException;
  }

  /** The sink's own failure, on its way past what is made of the member's. */
  private static final class SinkFailure extends IOException {
    private final IOException failure;

    SinkFailure(IOException failure) {
      super(failure);
      this.failure = failure;
    }
  }

  /** The member is well, but doesn't answer this: no reason to leave it alone. */
  private static final class Refused extends IOException {
    private final Optional<Duration> pause;

    Refused(String message, Optional<Duration> pause) {
      super(message);
      this.pause = pause;
    }
  }

  private <T> T exchange(HttpRequest request, Reading<T> reading) throws IOException {
    if (!backOff.enter()) {
      throw unavailable("it failed a moment ago", null);
    }
    try {
      HttpResponse<InputStream> answer = members.send(request);
      T result;
      try (InputStream body = answer.body()) {
        result = reading.of(answer);
        // What is left, an error's text or nothing, is read so that the connection can be kept.
        if (body.readNBytes(LARGEST_ERROR).length == LARGEST_ERROR) {
          throw new IOException("its answer goes on and on");
        }
      }
      backOff.succeeded();
      return result;
    } catch (InterruptedException e) {
      backOff.abandoned();
      Thread.currentThread().interrupt();
      throw unavailable("interrupted", e);
    } catch (SinkFailure e) {
      backOff.succeeded();
      throw e.failure;
    } catch (CacheDeniedException e) {
      backOff.succeeded();
      throw e;
    } catch (Refused e) {
      backOff.succeeded();
      e.pause.ifPresent(backOff::pause);
      throw unavailable(String.valueOf(e.getMessage()), e);
    } catch (TimeoutException e) {
      backOff.failed();
      throw unavailable("no answer within " + members.timeout().toMillis() + " ms", e);
    } catch (EOFException e) {
      backOff.failed();
      throw unavailable("its answer was cut off", e);
    } catch (IOException e) {
      backOff.failed();
      throw unavailable(String.valueOf(e.getMessage()), e);
    }
  }

  private static IOException refusal(HttpResponse<InputStream> answer) throws IOException {
    byte[] body = answer.body().readNBytes(LARGEST_ERROR);
    String message;
    try {
      message = JSON.readTree(body).path("message").asText("");
    } catch (IOException e) {
      message = "";
    }
    OptionalLong seconds;
    try {
      seconds = answer.headers().firstValueAsLong("Retry-After");
    } catch (NumberFormatException e) {
      seconds = OptionalLong.empty();
    }
    Optional<Duration> retryAfter =
        seconds.isPresent()
            ? Optional.of(
                Duration.ofSeconds(Math.clamp(seconds.getAsLong(), 0, LONGEST_PAUSE.toSeconds())))
            : Optional.empty();
    return refusal(
        answer.statusCode(),
        answer.statusCode() + (message.isEmpty() ? "" : ": " + message),
        answer.statusCode() == 503 ? retryAfter : Optional.empty());
  }

  private static IOException refusal(
      int status, @Nullable String message, Optional<Duration> pause) {
    return switch (status) {
      case 403 -> new CacheDeniedException("the cache refuses: " + message);
      case 400, 401, 404, 409, 413, 422, 502, 503, 504 -> new Refused(message + "", pause);
      default -> new IOException(message);
    };
  }

  private CacheUnavailableException unavailable(String why, @Nullable Throwable cause) {
    return new CacheUnavailableException("cache member " + uri + " can't help: " + why, cause);
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
