package dev.socifleet.oci;

import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What a registry's {@code WWW-Authenticate} header asks for (RFC 9110, 11.6.1; Docker registry v2
 * authentication).
 */
sealed interface Challenge {
  record Basic() implements Challenge {}

  /** Its scope isn't taken: a token for one repository must not become one for another. */
  record Bearer(URI realm, String service) implements Challenge {}

  /** The challenge to answer: a token where the registry offers that, else Basic. */
  static Optional<Challenge> of(List<String> headers) {
    Optional<Challenge> basic = Optional.empty();
    for (String header : headers) {
      for (Parsed parsed : Parsed.all(header)) {
        switch (parsed.scheme) {
          case "bearer" -> {
            Optional<Challenge> bearer = bearer(parsed.parameters);
            if (bearer.isPresent()) {
              return bearer;
            }
          }
          case "basic" -> basic = Optional.of(new Basic());
          default -> {
            // a scheme that we don't speak
          }
        }
      }
    }
    return basic;
  }

  private static Optional<Challenge> bearer(Map<String, String> parameters) {
    try {
      URI realm = URI.create(parameters.getOrDefault("realm", ""));
      return realm.getHost() == null
          ? Optional.empty()
          : Optional.of(new Bearer(realm, parameters.getOrDefault("service", "")));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** One challenge of a header, {@code scheme name=value, name="value"}; lower-case names. */
  final class Parsed {
    private static final int LONGEST = 8 << 10;
    private static final int MOST = 8;

    final String scheme;
    final Map<String, String> parameters = new HashMap<>();

    private Parsed(String scheme) {
      this.scheme = scheme;
    }

    /** The challenges of one header, which may hold several after one another. */
    static List<Parsed> all(String header) {
      List<Parsed> found = new java.util.ArrayList<>();
      if (header.length() > LONGEST) {
        return found;
      }
      int at = 0;
      while (at < header.length() && found.size() <= MOST) {
        at = skip(header, at, " \t,");
        int end = token(header, at);
        if (end == at) {
          at++; // not the begin of anything
          continue;
        }
        String word = header.substring(at, end).toLowerCase(Locale.ROOT);
        int equals = skip(header, end, " \t");
        if (equals < header.length() && header.charAt(equals) == '=' && !found.isEmpty()) {
          StringBuilder value = new StringBuilder();
          at = value(header, skip(header, equals + 1, " \t"), value);
          found.getLast().parameters.putIfAbsent(word, value.toString());
        } else {
          found.add(new Parsed(word));
          at = end;
        }
      }
      return found;
    }

    private static int value(String header, int from, StringBuilder value) {
      int at = from;
      if (at < header.length() && header.charAt(at) == '"') {
        for (at++; at < header.length() && header.charAt(at) != '"'; at++) {
          if (header.charAt(at) == '\\' && at + 1 < header.length()) {
            at++;
          }
          value.append(header.charAt(at));
        }
        return at + 1;
      }
      while (at < header.length() && " \t,".indexOf(header.charAt(at)) < 0) {
        value.append(header.charAt(at++));
      }
      return at;
    }

    private static int skip(String header, int from, String any) {
      int at = from;
      while (at < header.length() && any.indexOf(header.charAt(at)) >= 0) {
        at++;
      }
      return at;
    }

    private static int token(String header, int from) {
      int at = from;
      while (at < header.length() && " \t,=\"".indexOf(header.charAt(at)) < 0) {
        at++;
      }
      return at;
    }
  }
}
