package dev.socifleet.oci;

import java.util.List;

/**
 * @param hosts the registries that may be talked to
 * @param userAgent what every request says of itself, e.g. {@code soci-fleet-node/1.0.0}
 * @param hostsDirectory where their mirrors, certificates and headers are described
 */
public record RegistriesConfig(
    List<RegistryHost> hosts,
    Credentials credentials,
    String userAgent,
    Timeouts timeouts,
    HostsDirectory hostsDirectory) {
  public RegistriesConfig {
    hosts = List.copyOf(hosts);
  }

  /** With the usual time-outs, and containerd's and Docker's own description of hosts. */
  public RegistriesConfig(List<RegistryHost> hosts, Credentials credentials, String userAgent) {
    this(hosts, credentials, userAgent, Timeouts.STANDARD, HostsDirectory.standard());
  }
}
