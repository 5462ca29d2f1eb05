package dev.socifleet.oci;

/** What a registry is told about the caller. Its text form never shows a secret. */
public sealed interface Credential {
  record Anonymous() implements Credential {}

  record Basic(String user, String password) implements Credential {
    @Override
    public String toString() {
      return "Basic[" + user + "]";
    }
  }

  /** An OAuth2 refresh token, which Docker's configuration calls identity token. */
  record IdentityToken(String token) implements Credential {
    @Override
    public String toString() {
      return "IdentityToken[…]";
    }
  }

  /**
   * A ready value of the {@code Authorization} header, as a node hands it to fetch-cache. {@code
   * Bearer …} is sent as it is and never renewed; {@code Basic …} is sent or exchanged for a token,
   * as the registry asks.
   */
  record Authorization(String header) implements Credential {
    @Override
    public String toString() {
      return "Authorization[…]";
    }
  }
}
