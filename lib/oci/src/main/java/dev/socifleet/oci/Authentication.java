package dev.socifleet.oci;

import java.net.URI;
import java.net.http.HttpClient;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How one host's repository is told who we are: by what it asked for the last time (Docker registry
 * v2 authentication). Thread-safe.
 */
final class Authentication {
  private final HttpClient client;
  private final Tokens tokens;
  private final Endpoint endpoint;
  private final boolean privateRedirects;
  private final KnownHost known;
  private final RepositoryName repository;

  Authentication(
      HttpClient client,
      Tokens tokens,
      Endpoint endpoint,
      boolean privateRedirects,
      KnownHost known,
      RepositoryName repository) {
    this.client = client;
    this.tokens = tokens;
    this.endpoint = endpoint;
    this.privateRedirects = privateRedirects;
    this.known = known;
    this.repository = repository;
  }

  /**
   * Notes what the host asks for, by its {@code WWW-Authenticate} headers.
   *
   * @return whether it is something that we speak
   * @throws IllegalArgumentException it would have us give our password where it mustn't go
   */
  boolean note(List<String> headers) {
    Optional<Challenge> challenge = Challenge.of(headers);
    if (challenge.isEmpty()) {
      return false;
    }
    if (challenge.get() instanceof Challenge.Bearer bearer) {
      check(bearer.realm());
    }
    known.challenge = challenge.get();
    return true;
  }

  /** A token server gets our password: not in the clear, and not just anywhere. */
  private void check(URI realm) {
    String from = "the registry asks for a token from " + realm.getHost();
    if (!Addresses.mayFollow(endpoint.base(), privateRedirects, realm)) {
      throw new IllegalArgumentException(
          from + ", a private address; allow it with private-redirects if that is right");
    }
    if ("https".equals(endpoint.base().getScheme()) && !"https".equals(realm.getScheme())) {
      throw new IllegalArgumentException(
          from + " over plain http, though the registry itself speaks https");
    }
  }

  /** Whether a credential is of a kind that the host asked for. */
  boolean canAnswer(Credential credential) {
    return known.challenge instanceof Challenge.Bearer || basic(credential) != null;
  }

  private static @Nullable String basic(Credential credential) {
    return switch (credential) {
      case Credential.Basic(String user, String password) -> Tokens.basic(user, password);
      case Credential.Authorization(String header) -> header;
      case Credential.Anonymous() -> null;
      case Credential.IdentityToken _ -> null;
    };
  }

  /**
   * The Authorization header for this scope; null for none.
   *
   * @param rejected the header that was refused just now, or empty
   */
  @Nullable String header(Scope scope, Credential credential, String rejected)
      throws RegistryException, InterruptedException {
    if (credential instanceof Credential.Authorization(String header)
        && header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      return header;
    }
    Challenge challenge = known.challenge;
    if (challenge == null) {
      return null;
    }
    return switch (challenge) {
      case Challenge.Basic() -> basic(credential);
      case Challenge.Bearer bearer -> {
        String refused = rejected.startsWith("Bearer ") ? rejected.substring(7) : "";
        yield "Bearer " + tokens.token(client, repository, bearer, scope, credential, refused);
      }
    };
  }
}
