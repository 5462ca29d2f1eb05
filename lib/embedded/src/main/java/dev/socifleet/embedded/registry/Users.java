package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.SmallRegistry.User;
import dev.socifleet.oci.RegistryHost;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Who may do what, by Basic authentication (RFC 7617). */
final class Users {
  private final List<User> users;

  Users(List<User> users) {
    this.users = List.copyOf(users);
  }

  /** The user's name, empty where nobody has to log in. */
  String identify(String authorization) throws Problem {
    if (users.isEmpty()) {
      return "";
    }
    return find(authorization).name();
  }

  void check(String authorization, String repository, boolean write) throws Problem {
    if (users.isEmpty()) {
      return;
    }
    User user = find(authorization);
    boolean mayPush = matches(user.push(), repository);
    if (!mayPush && (write || !matches(user.pull(), repository))) {
      throw new Problem(
          403, "DENIED", user.name() + " may not " + (write ? "push to " : "pull ") + repository);
    }
  }

  boolean mayPull(String authorization, String repository) {
    try {
      check(authorization, repository, /* write= */ false);
      return true;
    } catch (Problem e) {
      return false;
    }
  }

  private User find(String authorization) throws Problem {
    if (authorization.regionMatches(true, 0, "Basic ", 0, 6)) {
      byte[] presented;
      try {
        presented = Base64.getDecoder().decode(authorization.substring(6).strip());
      } catch (IllegalArgumentException e) {
        presented = new byte[0];
      }
      for (User user : users) {
        byte[] expected = (user.name() + ":" + user.password()).getBytes(StandardCharsets.UTF_8);
        if (MessageDigest.isEqual(expected, presented)) {
          return user;
        }
      }
    }
    throw new Problem(
        401,
        "UNAUTHORIZED",
        "log in",
        Map.of("WWW-Authenticate", "Basic realm=\"soci-fleet registry\", charset=\"UTF-8\""));
  }

  private static boolean matches(List<String> patterns, String repository) {
    return patterns.stream().anyMatch(pattern -> RegistryHost.matches(pattern, repository));
  }
}
