package dev.socifleet.service;

import dev.socifleet.oci.Credential;
import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.DockerConfigCredentials;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The registries a service may talk to: {@code [[registry]]} tables.
 *
 * <pre>
 * [[registry]]
 * host = "registry.example:5000"       # the name in references and events
 * url = "http://10.0.0.7:5000"         # where its API is; https://host without it
 * repositories = ["team-a/*"]          # all of them without it
 * username = "indexer"                 # without it: Docker's configuration
 * password-file = "/run/secrets/registry"
 * private-redirects = false            # may it send us to private addresses?
 * </pre>
 */
public final class RegistrySettings {
  private record Entry(RegistryHost host, Optional<Credential> credential) {}

  private RegistrySettings() {}

  /** Reads the tables; problems are noted in {@code settings} and told by its {@code finish()}. */
  public static RegistriesConfig read(Settings settings, String userAgent) {
    List<Entry> entries = new ArrayList<>();
    for (Settings table : settings.tables("registry")) {
      String host = table.required("host");
      String url = table.text("url", "");
      List<String> repositories = table.list("repositories");
      boolean privateRedirects = table.flag("private-redirects", false);
      Optional<String> user = table.optional("username");
      Optional<Secret> password = table.secret("password");
      if (user.isPresent() != password.isPresent()) {
        table.problem("username", "needs password or password-file, and they need it");
      }
      try {
        RegistryHost standard = RegistryHost.of(host);
        RegistryHost configured =
            new RegistryHost(
                host,
                url.isEmpty() ? standard.base() : URI.create(url),
                repositories.isEmpty() ? standard.repositories() : repositories,
                privateRedirects);
        Optional<Credential> credential =
            user.flatMap(
                name -> password.map(secret -> new Credential.Basic(name, secret.reveal())));
        entries.add(new Entry(configured, credential));
      } catch (IllegalArgumentException e) {
        table.problem("host", String.valueOf(e.getMessage()));
      }
    }
    Credentials docker = DockerConfigCredentials.standard();
    Credentials credentials =
        repository ->
            entries.stream()
                .filter(entry -> entry.host().host().equals(repository.registry()))
                .findFirst()
                .flatMap(Entry::credential)
                .orElseGet(() -> docker.of(repository));
    return new RegistriesConfig(entries.stream().map(Entry::host).toList(), credentials, userAgent);
  }
}
