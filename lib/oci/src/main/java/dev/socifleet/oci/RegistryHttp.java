package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends one repository's requests: the only class that knows authentication, redirects and retries.
 * Thread-safe.
 *
 * <p>A redirect to another host is followed without the Authorization header, and only to where
 * {@link Addresses} lets us. A temporary failure is tried again up to {@value #ATTEMPTS} times,
 * after Retry-After where the registry says so.
 */
final class RegistryHttp {
  private static final int ATTEMPTS = 4;
  private static final int MOST_REDIRECTS = 10;
  private static final int LARGEST_ERROR = 64 << 10;
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration UPLOAD_TIMEOUT = Duration.ofMinutes(10);
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);
  private static final JsonMapper JSON = new JsonMapper();
  private static final Logger LOG = LoggerFactory.getLogger(RegistryHttp.class);

  /**
   * @param action what it is for, as "cannot …" in an error: "read blob sha256:…"
   * @param actions what the token must allow: {@code pull} or {@code pull,push}
   * @param body null for a request without one
   */
  record Request(
      String action,
      String method,
      URI uri,
      Map<String, String> headers,
      String actions,
      @Nullable Supplier<HttpRequest.BodyPublisher> body) {}

  private final HttpClient client;
  private final Tokens tokens;
  private final RegistryHost host;
  private final RepositoryName repository;
  private final Credential credential;
  private final String userAgent;

  /** The last Authorization that worked, by the actions it allows: saves a 401 a request. */
  private volatile @Nullable Authorized authorized;

  /**
   * A challenge the registry gave; remembered so that the next request brings its token at once.
   */
  private record Authorized(Challenge challenge, String actions) {}

  RegistryHttp(
      HttpClient client,
      Tokens tokens,
      RegistryHost host,
      RepositoryName repository,
      Credential credential,
      String userAgent) {
    this.client = client;
    this.tokens = tokens;
    this.host = host;
    this.repository = repository;
    this.credential = credential;
    this.userAgent = userAgent;
  }

  /** An address under {@code /v2/<repository>/}. */
  URI uri(String path) {
    String base = host.base().toString();
    return URI.create(
        (base.endsWith("/") ? base.substring(0, base.length() - 1) : base)
            + "/v2/"
            + repository.name()
            + "/"
            + path);
  }

  /**
   * The answer, whatever its status, unless it is a temporary failure that stays. The caller closes
   * its body.
   */
  HttpResponse<InputStream> send(Request request) throws RegistryException {
    for (int attempt = 1; ; attempt++) {
      RegistryException failure;
      try {
        HttpResponse<InputStream> response = authenticated(request);
        if (!temporary(response.statusCode())) {
          return response;
        }
        failure = failure(request, response);
      } catch (RegistryException e) {
        if (!e.temporary()) {
          throw e;
        }
        failure = e;
      } catch (IOException e) {
        failure = new RegistryException(said(request) + ": " + e, 0, List.of(), true, null, e);
      } catch (InterruptedException e) {
        throw interrupted(request);
      }
      Duration wait =
          failure
              .retryAfter()
              .orElse(
                  Duration.ofMillis((100L << attempt) + ThreadLocalRandom.current().nextLong(100)));
      if (attempt == ATTEMPTS || wait.compareTo(LONGEST_WAIT) > 0) {
        throw failure;
      }
      try {
        Thread.sleep(wait);
      } catch (InterruptedException e) {
        throw interrupted(request);
      }
    }
  }

  /** The answer if its status is one of these; else the failure that it is. */
  HttpResponse<InputStream> expect(Request request, int... statuses) throws RegistryException {
    HttpResponse<InputStream> response = send(request);
    for (int status : statuses) {
      if (response.statusCode() == status) {
        return response;
      }
    }
    throw failure(request, response);
  }

  /** The Authorization header that a pull needs now. */
  Optional<String> pullAuthorization() throws RegistryException {
    Request ping =
        new Request("ask for authorization", "GET", uri("tags/list?n=1"), Map.of(), "pull", null);
    if (authorized == null) {
      discard(send(ping));
    }
    try {
      return Optional.ofNullable(authorization("pull", ""));
    } catch (InterruptedException e) {
      throw interrupted(ping);
    }
  }

  private HttpResponse<InputStream> authenticated(Request request)
      throws IOException, InterruptedException {
    String sent = authorization(request.actions(), "");
    HttpResponse<InputStream> response = redirected(request, sent);
    if (response.statusCode() != 401) {
      return response;
    }
    Optional<Challenge> challenge =
        Challenge.of(
            response.headers().allValues("WWW-Authenticate"), repository, request.actions());
    if (challenge.isEmpty()) {
      return response;
    }
    if (challenge.get() instanceof Challenge.Bearer bearer
        && !Addresses.mayFollow(host, bearer.realm())) {
      discard(response);
      throw new RegistryException(
          said(request)
              + ": the registry asks for a token from "
              + bearer.realm().getHost()
              + ", a private address; allow it with private-redirects if that is right",
          401,
          List.of(),
          false,
          null,
          null);
    }
    authorized = new Authorized(challenge.get(), request.actions());
    String fresh = authorization(request.actions(), sent == null ? "" : sent);
    if (fresh == null || fresh.equals(sent)) {
      return response;
    }
    discard(response);
    return redirected(request, fresh);
  }

  /**
   * What to send for these actions, given the last challenge; {@code rejected} was refused just
   * now.
   */
  private @Nullable String authorization(String actions, String rejected)
      throws RegistryException, InterruptedException {
    if (credential instanceof Credential.Authorization(String header)
        && header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return header;
    }
    Authorized known = authorized;
    if (known == null) {
      return null;
    }
    return switch (known.challenge()) {
      case Challenge.Basic() ->
          switch (credential) {
            case Credential.Basic(String user, String password) -> Tokens.basic(user, password);
            case Credential.Authorization(String header) -> header;
            case Credential.Anonymous() -> null;
            case Credential.IdentityToken _ -> null;
          };
      case Challenge.Bearer bearer -> {
        Challenge.Bearer scoped =
            new Challenge.Bearer(
                bearer.realm(),
                bearer.service(),
                "repository:" + repository.name() + ":" + actions);
        String refused = rejected.startsWith("Bearer ") ? rejected.substring(7) : "";
        yield "Bearer " + tokens.token(repository, scoped, credential, refused);
      }
    };
  }

  private HttpResponse<InputStream> redirected(Request request, @Nullable String authorization)
      throws IOException, InterruptedException {
    URI target = request.uri();
    @Nullable String header = authorization;
    for (int hop = 0; ; hop++) {
      HttpRequest.Builder builder =
          HttpRequest.newBuilder(target)
              .timeout(request.body() == null ? ANSWER_TIMEOUT : UPLOAD_TIMEOUT)
              .header("User-Agent", userAgent);
      request.headers().forEach(builder::header);
      if (header != null) {
        builder.header("Authorization", header);
      }
      builder.method(
          request.method(),
          request.body() == null ? HttpRequest.BodyPublishers.noBody() : request.body().get());
      HttpResponse<InputStream> response =
          client.send(builder.build(), HttpResponse.BodyHandlers.ofInputStream());
      int status = response.statusCode();
      boolean redirect =
          status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
      Optional<String> location = response.headers().firstValue("Location");
      if (!redirect || location.isEmpty() || request.body() != null) {
        return response;
      }
      discard(response);
      URI next = resolve(target, location.get());
      if (hop == MOST_REDIRECTS || next == null || !Addresses.mayFollow(host, next)) {
        throw new RegistryException(
            said(request)
                + ": "
                + (hop == MOST_REDIRECTS
                    ? "too many redirects"
                    : "a redirect to where this registry may not send us"),
            status,
            List.of(),
            false,
            null,
            null);
      }
      if (!sameOrigin(target, next)) {
        header = null;
      }
      target = next;
    }
  }

  static @Nullable URI resolve(URI base, String location) {
    try {
      return base.resolve(location);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static boolean sameOrigin(URI a, URI b) {
    return a.getScheme().equals(b.getScheme())
        && a.getAuthority().equalsIgnoreCase(b.getAuthority() == null ? "" : b.getAuthority());
  }

  RegistryException failure(Request request, HttpResponse<InputStream> response) {
    byte[] body;
    try (InputStream stream = response.body()) {
      body = stream.readNBytes(LARGEST_ERROR);
    } catch (IOException e) {
      body = new byte[0]; // the status says enough; the body would only have explained it
    }
    return failure(said(request), response, body);
  }

  static RegistryException failure(String said, HttpResponse<?> response, byte[] body) {
    List<String> codes = new ArrayList<>();
    StringBuilder reasons = new StringBuilder();
    try {
      for (JsonNode error : JSON.readTree(body).path("errors")) {
        String code = error.path("code").asText("");
        if (!code.isEmpty() && codes.size() < 20) {
          codes.add(code);
          reasons.append(reasons.isEmpty() ? ": " : "; ").append(code);
          String message = error.path("message").asText("");
          if (!message.isEmpty()) {
            reasons.append(": ").append(message, 0, Math.min(200, message.length()));
          }
        }
      }
    } catch (IOException e) {
      codes.clear();
    }
    int status = response.statusCode();
    String advice =
        status == 401 || status == 403
            ? " (log in, or configure a credential for this repository)"
            : "";
    return new RegistryException(
        said + ": " + status + reasons + advice,
        status,
        codes,
        temporary(status),
        retryAfter(response),
        null);
  }

  private String said(Request request) {
    return "cannot " + request.action() + " (" + repository + ")";
  }

  private RegistryException interrupted(Request request) {
    Thread.currentThread().interrupt();
    return new RegistryException(said(request) + ": interrupted", 0, List.of(), true, null, null);
  }

  private static boolean temporary(int status) {
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
  }

  private static @Nullable Duration retryAfter(HttpResponse<?> response) {
    String value = response.headers().firstValue("Retry-After").orElse("").strip();
    if (value.isEmpty()) {
      return null;
    }
    try {
      return Duration.ofSeconds(Math.clamp(Long.parseLong(value), 0, 3600));
    } catch (NumberFormatException e) {
      try {
        Duration until =
            Duration.between(
                ZonedDateTime.now(java.time.ZoneOffset.UTC),
                ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
        return until.isNegative() ? Duration.ZERO : until;
      } catch (DateTimeParseException unreadable) {
        return null;
      }
    }
  }

  static void discard(HttpResponse<InputStream> response) {
    try (InputStream body = response.body()) {
      long drained = body.readNBytes(LARGEST_ERROR).length;
      LOG.trace("discarded {} bytes of {}", drained, response.uri().getHost());
    } catch (IOException e) {
      LOG.trace("a body that nobody wanted broke off: {}", e.getMessage());
    }
  }
}
