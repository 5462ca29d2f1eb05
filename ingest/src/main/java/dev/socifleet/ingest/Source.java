package dev.socifleet.ingest;

import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Secret;
import dev.socifleet.service.Settings;
import java.util.List;
import java.util.Optional;

/**
 * A sender of events: one path, one registry. The registry's host comes from here, never from an
 * event's body.
 *
 * <pre>
 * [[source]]
 * name = "main"                     # POST /v1/events/main
 * kind = "distribution"             # notifications of the CNCF Distribution registry
 * registry = "registry.example"     # the host in references
 * repositories = ["team-a/*"]       # all of them without it
 * authorization-file = "/run/secrets/webhook"  # the Authorization header the sender must bring
 * </pre>
 *
 * @param authorization the whole value of the header, e.g. {@code Bearer …}; empty lets everybody
 *     in
 */
public record Source(
    String name, String registry, List<String> repositories, Optional<Secret> authorization) {
  public Source {
    repositories = List.copyOf(repositories);
  }

  static Source read(Settings table) {
    String name = table.required("name");
    if (!name.matches("[a-z0-9][a-z0-9-]{0,62}")) {
      table.problem("name", "must be lower-case letters, digits, dashes: '" + name + "'");
    }
    String kind = table.text("kind", "distribution");
    if (!kind.equals("distribution")) {
      table.problem("kind", "is '" + kind + "'; known: distribution");
    }
    String registry = table.required("registry");
    try {
      new RepositoryName(registry, "any");
    } catch (IllegalArgumentException e) {
      table.problem("registry", String.valueOf(e.getMessage()));
    }
    List<String> repositories = table.list("repositories");
    return new Source(
        name,
        registry,
        repositories.isEmpty() ? List.of("*") : repositories,
        table.secret("authorization"));
  }

  boolean takes(String repository) {
    return repositories.stream().anyMatch(pattern -> RegistryHost.matches(pattern, repository));
  }
}
