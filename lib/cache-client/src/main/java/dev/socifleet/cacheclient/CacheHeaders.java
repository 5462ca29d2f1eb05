package dev.socifleet.cacheclient;

/** Names of headers that both sides of the wire use. */
public final class CacheHeaders {
  /** The value of the Authorization header with which the caller would ask the registry. */
  public static final String REGISTRY_AUTHORIZATION = "X-Registry-Authorization";

  /** On a member's question to the key's first choice: answer it yourself. */
  public static final String FORWARDED = "Soci-Forwarded";

  public static final String ONLY_IF_CACHED = "only-if-cached";

  private CacheHeaders() {}
}
