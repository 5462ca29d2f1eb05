package dev.socifleet.oci;

/**
 * Where credentials come from: Docker's configuration, a service's own configuration, a flag.
 * Thread-safe.
 */
@FunctionalInterface
public interface Credentials {
  /** The credential for a repository; {@link Credential.Anonymous} where there is none. */
  Credential of(RepositoryName repository);

  Credentials NONE = repository -> new Credential.Anonymous();
}
