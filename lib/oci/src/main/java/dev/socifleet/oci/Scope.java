package dev.socifleet.oci;

/**
 * What a token must allow (Docker registry v2 authentication, "Token Scope").
 *
 * @param actions on the repository itself, separated by commas
 * @param alsoPull the name of another repository to read from, empty for none
 */
record Scope(String actions, String alsoPull) {
  static final Scope PULL = new Scope("pull", "");
  static final Scope PUSH = new Scope("pull,push", "");
  static final Scope DELETE = new Scope("pull,push,delete", "");

  static Scope mount(RepositoryName from) {
    return new Scope(PUSH.actions, from.name());
  }

  /** As a token server is asked; several are separated by spaces. */
  String on(RepositoryName repository) {
    return "repository:"
        + repository.name()
        + ":"
        + actions
        + (alsoPull.isEmpty() ? "" : " repository:" + alsoPull + ":pull");
  }
}
