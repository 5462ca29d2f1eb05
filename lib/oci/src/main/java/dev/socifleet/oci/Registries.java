package dev.socifleet.oci;

/** Opens repositories of the registries that the configuration allows. Thread-safe. */
public interface Registries extends AutoCloseable {
  /** The repository under the credential that the configuration has for it. */
  Repository repository(RepositoryName name) throws RegistryException;

  /**
   * The repository under a credential of the caller's: only the registry itself is asked, never a
   * mirror, which could let in whom the registry wouldn't.
   */
  Repository repository(RepositoryName name, Credential credential) throws RegistryException;

  /**
   * Whether the allow-list holds this registry; {@link #repository} of another one is a permanent
   * failure.
   */
  boolean allows(String registry);

  @Override
  void close();
}
