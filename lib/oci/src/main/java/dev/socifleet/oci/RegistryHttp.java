package dev.socifleet.oci;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends one repository's requests to one host: when to show who we are, where redirects may lead,
 * what is tried again. Thread-safe.
 *
 * <p>A redirect to another host is followed without the Authorization header, and only to where
 * {@link Addresses} lets us. A temporary failure is tried again up to {@value #ATTEMPTS} times,
 * after Retry-After where the registry says so.
 */
final class RegistryHttp {
  private static final int ATTEMPTS = 4;
  private static final int MOST_REDIRECTS = 10;

  /**
   * @param action what it is for, as "cannot …" in an error: "read blob sha256:…"
   * @param scope what the token must allow
   * @param body null for a request without one
   */
  record Request(
      String action,
      String method,
      URI uri,
      Map<String, String> headers,
      Scope scope,
      @Nullable Supplier<HttpRequest.BodyPublisher> body) {}

  private final HttpClient client;
  private final Timeouts timeouts;
  private final Authentication authentication;
  private final Endpoint endpoint;
  private final boolean privateRedirects;
  private final KnownHost known;
  private final RepositoryName repository;
  private final Identity identity;
  private final String userAgent;

  RegistryHttp(
      HttpClient client,
      RegistriesConfig config,
      Tokens tokens,
      Endpoint endpoint,
      boolean privateRedirects,
      KnownHost known,
      RepositoryName repository,
      Identity identity) {
    this.client = client;
    this.timeouts = config.timeouts();
    this.endpoint = endpoint;
    this.privateRedirects = privateRedirects;
    this.known = known;
    this.repository = repository;
    authentication =
        new Authentication(client, tokens, endpoint, privateRedirects, known, repository);
    this.identity = identity;
    this.userAgent = config.userAgent();
  }

  KnownHost known() {
    return known;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** An address under {@code /v2/<repository>/}; a mirror is told whose repository is meant. */
  URI uri(String path) {
    String address = endpoint.base() + "/" + repository.name() + "/" + path;
    return URI.create(
        endpoint.isMirror()
            ? address
                + (path.contains("?") ? "&" : "?")
                + "ns="
                + URLEncoder.encode(endpoint.mirrorOf(), StandardCharsets.UTF_8)
            : address);
  }

  /**
   * The answer, whatever its status, unless it is a temporary failure that stays. The caller closes
   * its body.
   */
  HttpResponse<AnswerBody> send(Request request) throws RegistryException {
    for (int attempt = 1; ; attempt++) {
      RegistryException failure;
      try {
        return sendOnce(request);
      } catch (RegistryException e) {
        if (!e.temporary() || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        failure = e;
      }
      if (attempt == ATTEMPTS || endpoint.isMirror()) {
        throw failure; // behind a mirror there is another host
      }
      pause(request.action(), attempt, failure);
    }
  }

  /**
   * Waits before the attempt after this one; throws where the registry asks for too long a wait.
   */
  void pause(String action, int attempt, RegistryException failure) throws RegistryException {
    Duration wait =
        failure
            .retryAfter()
            .orElse(
                Duration.ofMillis((100L << attempt) + ThreadLocalRandom.current().nextLong(100)));
    if (wait.compareTo(timeouts.longestWait()) > 0) {
      throw failure;
    }
    try {
      Thread.sleep(wait);
    } catch (InterruptedException e) {
      throw interrupted(action);
    }
  }

  /** As {@link #send}, but one attempt: for what can't simply be said again. */
  HttpResponse<AnswerBody> sendOnce(Request request) throws RegistryException {
    try {
      long entered = known.throttle.enter();
      @Nullable HttpResponse<AnswerBody> response = null;
      try {
        response = authenticated(request);
      } finally {
        leave(entered, response);
      }
      if (Exchange.isTemporary(response.statusCode())) {
        throw failure(request, response);
      }
      return response;
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      throw new RegistryException(
          said(request) + ": " + Exchange.said(e), 0, List.of(), true, null, e);
    } catch (TimeoutException e) {
      throw new RegistryException(
          said(request) + ": " + e.getMessage(), 0, List.of(), true, null, null);
    } catch (InterruptedException e) {
      throw interrupted(request.action());
    }
  }

  private void leave(long entered, @Nullable HttpResponse<AnswerBody> response) {
    if (response == null) {
      known.throttle.leave();
      return;
    }
    Optional<Duration> retryAfter = Optional.ofNullable(Exchange.retryAfter(response));
    int status = response.statusCode();
    if (status == 429 || (status == 503 && retryAfter.isPresent())) {
      known.throttle.leaveRefused(entered, retryAfter.orElse(Duration.ZERO));
    } else {
      known.throttle.leaveAnswered();
    }
  }

  /** The answer if its status is one of these; else the failure that it is. */
  HttpResponse<AnswerBody> expect(Request request, int... statuses) throws RegistryException {
    return expected(request, send(request), statuses);
  }

  HttpResponse<AnswerBody> expectOnce(Request request, int... statuses) throws RegistryException {
    return expected(request, sendOnce(request), statuses);
  }

  private HttpResponse<AnswerBody> expected(
      Request request, HttpResponse<AnswerBody> response, int... statuses)
      throws RegistryException {
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
        new Request(
            "ask for authorization", "GET", uri("tags/list?n=1"), Map.of(), Scope.PULL, null);
    if (known.challenge == null) {
      Exchange.discard(send(ping));
    }
    try {
      return Optional.ofNullable(authentication.header(Scope.PULL, identity.recent(), ""));
    } catch (InterruptedException e) {
      throw interrupted(ping.action());
    }
  }

  private HttpResponse<AnswerBody> authenticated(Request request)
      throws IOException, InterruptedException {
    if (known.challenge == null && !identity.isGiven()) {
      HttpResponse<AnswerBody> response = redirected(request, null);
      if (!challenges(request, response) || !authentication.canAnswer(identity.credential())) {
        return response;
      }
      Exchange.discard(response);
    }
    Credential credential = identity.credential();
    try {
      HttpResponse<AnswerBody> response = authenticated(request, credential);
      boolean refused = response.statusCode() == 401 || response.statusCode() == 403;
      if (!refused || !own(request, response) || !identity.renewed(credential)) {
        return response;
      }
      Exchange.discard(response);
    } catch (RegistryException e) {
      if (!e.denied() || !identity.renewed(credential)) {
        throw e;
      }
    }
    return authenticated(request, identity.credential());
  }

  private HttpResponse<AnswerBody> authenticated(Request request, Credential credential)
      throws IOException, InterruptedException {
    String sent = authentication.header(request.scope(), credential, "");
    HttpResponse<AnswerBody> response = redirected(request, sent);
    if (!challenges(request, response)) {
      return response;
    }
    String fresh = authentication.header(request.scope(), credential, sent == null ? "" : sent);
    if (fresh == null || fresh.equals(sent)) {
      return response;
    }
    Exchange.discard(response);
    return redirected(request, fresh);
  }

  /** Whether the host wants to know who we are. Where a redirect led to may not ask that. */
  private boolean challenges(Request request, HttpResponse<AnswerBody> response)
      throws RegistryException {
    if (response.statusCode() != 401 || !own(request, response)) {
      return false;
    }
    try {
      return authentication.note(response.headers().allValues("WWW-Authenticate"));
    } catch (IllegalArgumentException e) {
      Exchange.discard(response);
      throw new RegistryException(
          said(request) + ": " + e.getMessage(), 401, List.of(), false, null, null);
    }
  }

  private static boolean own(Request request, HttpResponse<AnswerBody> response) {
    return sameOrigin(request.uri(), response.uri());
  }

  private HttpResponse<AnswerBody> redirected(Request request, @Nullable String authorization)
      throws IOException, InterruptedException {
    URI target = request.uri();
    @Nullable String header = authorization;
    for (int hop = 0; ; hop++) {
      HttpRequest.Builder builder = HttpRequest.newBuilder(target).header("User-Agent", userAgent);
      request.headers().forEach(builder::header);
      if (sameOrigin(request.uri(), target)) {
        endpoint.headers().forEach(builder::setHeader);
      }
      if (header != null) {
        builder.header("Authorization", header);
      }
      HttpRequest.BodyPublisher body =
          request.body() == null ? HttpRequest.BodyPublishers.noBody() : request.body().get();
      builder.method(request.method(), body);
      HttpResponse<AnswerBody> response =
          Exchange.send(
              client,
              builder.build(),
              body.contentLength() == 0 ? timeouts.answer() : timeouts.upload(body.contentLength()),
              timeouts.stall());
      int status = response.statusCode();
      boolean redirect =
          status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
      Optional<String> location = response.headers().firstValue("Location");
      boolean reads = request.method().equals("GET") || request.method().equals("HEAD");
      if (!redirect || location.isEmpty() || !reads) {
        return response;
      }
      Exchange.discard(response);
      URI next = resolve(target, location.get());
      if (hop == MOST_REDIRECTS
          || next == null
          || !Addresses.mayFollow(endpoint.base(), privateRedirects, next)) {
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

  RegistryException failure(Request request, HttpResponse<AnswerBody> response) {
    return Exchange.failure(said(request), response);
  }

  private String said(Request request) {
    return "cannot " + request.action() + " (" + where() + ")";
  }

  /** The repository, and the mirror where it is one. */
  private String where() {
    return endpoint.isMirror()
        ? repository + " at mirror " + endpoint.base().getAuthority()
        : repository.toString();
  }

  private RegistryException interrupted(String action) {
    Thread.currentThread().interrupt();
    return new RegistryException(
        "cannot " + action + " (" + repository + "): interrupted", 0, List.of(), true, null, null);
  }
}
