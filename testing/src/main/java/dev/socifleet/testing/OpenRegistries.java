package dev.socifleet.testing;

import dev.socifleet.oci.Credentials;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.RegistriesConfig;
import dev.socifleet.oci.RegistryHost;
import java.util.List;

/** Clients of registries that are open to everybody. */
public final class OpenRegistries {
  private OpenRegistries() {}

  /** A client of one registry of this machine, to be closed by the caller. */
  public static HttpRegistries at(String host) {
    return HttpRegistries.open(
        new RegistriesConfig(List.of(RegistryHost.of(host)), Credentials.NONE, "test/1"));
  }
}
