package dev.socifleet.oci;

import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a registry's {@code WWW-Authenticate} header asks for (RFC 9110, 11.6.1; Docker registry v2
 * authentication).
 */
sealed interface Challenge {
  record Basic() implements Challenge {}

  record Bearer(URI realm, String service, String scope) implements Challenge {}

  Pattern PARAMETER = Pattern.compile("([a-zA-Z_]+)=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^\\s,]+))");

  /** The first challenge that we can answer. */
  static Optional<Challenge> of(List<String> headers, RepositoryName repository, String actions) {
    for (String header : headers) {
      String scheme = header.strip().split("\\s", 2)[0].toLowerCase(Locale.ROOT);
      if (scheme.equals("basic")) {
        return Optional.of(new Basic());
      }
      if (scheme.equals("bearer")) {
        Map<String, String> parameters = new HashMap<>();
        Matcher matcher = PARAMETER.matcher(header);
        while (matcher.find()) {
          parameters.put(
              matcher.group(1).toLowerCase(Locale.ROOT),
              matcher.group(2) != null
                  ? matcher.group(2).replaceAll("\\\\(.)", "$1")
                  : matcher.group(3));
        }
        try {
          URI realm = URI.create(parameters.getOrDefault("realm", ""));
          if (realm.getHost() != null) {
            // Our own scope, not the challenge's: a token for a pull must not become one for
            // another repository.
            return Optional.of(
                new Bearer(
                    realm,
                    parameters.getOrDefault("service", ""),
                    "repository:" + repository.name() + ":" + actions));
          }
        } catch (IllegalArgumentException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }
}
