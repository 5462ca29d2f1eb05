package dev.socifleet.fetchcache;

import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who asks, for one repository.
 *
 * @param authorization what he would show to the registry; never logged, never stored
 * @param key a hash of repository and credential, salted anew in each process: what is remembered
 *     of him
 */
record Caller(RepositoryName repository, Optional<String> authorization, Digest key) {
  private static final int LONGEST = 16 << 10;
  private static final byte[] SALT = new SecureRandom().generateSeed(16);

  /** The caller of a request; a credential that is neither Basic nor Bearer is refused. */
  static Caller of(RepositoryName repository, @Nullable String authorization) throws Refusal {
    if (authorization != null) {
      String lower = authorization.toLowerCase(Locale.ROOT);
      if (!(lower.startsWith("basic ") || lower.startsWith("bearer "))) {
        throw Refusal.malformed("the registry's Authorization must be Basic or Bearer");
      }
      if (authorization.length() > LONGEST
          || !authorization.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
        throw Refusal.malformed(
            "the registry's Authorization must be at most " + LONGEST + " ASCII characters");
      }
    }
    MessageDigest hash = Digest.newSha256();
    hash.update(SALT);
    hash.update((repository + " ").getBytes(StandardCharsets.UTF_8));
    hash.update((authorization == null ? "" : authorization).getBytes(StandardCharsets.UTF_8));
    return new Caller(repository, Optional.ofNullable(authorization), Digest.ofHash(hash.digest()));
  }

  Credential credential() {
    return authorization
        .<Credential>map(Credential.Authorization::new)
        .orElseGet(Credential.Anonymous::new);
  }

  @Override
  public String toString() {
    return "Caller[" + repository + "]";
  }
}
