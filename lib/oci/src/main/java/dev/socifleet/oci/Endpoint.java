package dev.socifleet.oci;

import java.net.URI;
import java.util.Map;
import java.util.Set;

/**
 * A host that serves a registry's repositories: the registry itself, or a mirror of it (containerd,
 * docs/hosts.md).
 *
 * @param base where its API is, {@code /v2} included; {@code /<repository>/…} follows
 * @param capabilities what it may be asked for; the registry itself for everything
 * @param headers sent with every request to it, and nowhere else
 * @param mirrorOf the registry that it is a mirror of, empty for the registry itself
 */
record Endpoint(
    URI base, Set<Capability> capabilities, Tls tls, Map<String, String> headers, String mirrorOf) {
  enum Capability {
    /** Blobs, and manifests by digest. */
    PULL,
    /** Manifests by tag. */
    RESOLVE,
    PUSH
  }

  Endpoint {
    capabilities = Set.copyOf(capabilities);
    headers = Map.copyOf(headers);
  }

  /** The registry itself, with nothing special. */
  static Endpoint of(RegistryHost host) {
    return registry(host.base(), Tls.STANDARD, Map.of());
  }

  static Endpoint registry(URI address, Tls tls, Map<String, String> headers) {
    return new Endpoint(api(address), Set.of(Capability.values()), tls, headers, "");
  }

  Endpoint withTls(Tls asked) {
    return new Endpoint(base, capabilities, tls.with(asked), headers, mirrorOf);
  }

  boolean isMirror() {
    return !mirrorOf.isEmpty();
  }

  /** The address of the API on a host. */
  static URI api(URI address) {
    String text = address.toString().replaceAll("/+$", "");
    return URI.create(text.endsWith("/v2") ? text : text + "/v2");
  }
}
