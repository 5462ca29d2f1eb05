package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EnvironmentProxiesIT {
  private static String select(Map<String, String> environment, String target) {
    List<Proxy> proxies = new EnvironmentProxies(environment).select(URI.create(target));
    assertThat(proxies).hasSize(1);
    return proxies.getFirst().address() instanceof InetSocketAddress address
        ? address.getHostString() + ":" + address.getPort()
        : "direct";
  }

  private static boolean direct(String noProxy, String target) {
    return select(Map.of("HTTPS_PROXY", "p.example:1", "NO_PROXY", noProxy), target)
        .equals("direct");
  }

  @Test
  void eachSchemeHasItsOwn() {
    Map<String, String> environment =
        Map.of("HTTP_PROXY", "http://a.example", "https_proxy", "b.example:3128");

    assertThat(select(environment, "http://reg.example/v2")).isEqualTo("a.example:80");
    assertThat(select(environment, "https://reg.example/v2")).isEqualTo("b.example:3128");
    assertThat(select(Map.of(), "https://reg.example/v2")).isEqualTo("direct");
  }

  @Test
  void thisMachineIsNeverAskedThroughOne() {
    for (String host : List.of("localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000")) {
      assertThat(direct("", "https://" + host + "/v2")).as(host).isTrue();
    }
    assertThat(direct("", "https://10.0.0.1/v2")).isFalse();
  }

  @Test
  void exceptionsAreHostsAddressesNetworksAndPorts() {
    assertThat(direct("*", "https://reg.example")).isTrue();
    assertThat(direct("x, Reg.Example ", "https://reg.example")).isTrue();
    assertThat(direct("example", "https://reg.example")).isTrue();
    assertThat(direct(".example", "https://reg.example")).isTrue();
    assertThat(direct("*.example", "https://reg.example")).isTrue();
    assertThat(direct(".reg.example", "https://reg.example")).isFalse();
    assertThat(direct("eg.example", "https://reg.example")).isFalse();
    assertThat(direct("reg.example:443", "https://reg.example")).isTrue();
    assertThat(direct("reg.example:5000", "https://reg.example")).isFalse();
    assertThat(direct("10.1.2.3", "https://10.1.2.3:5000")).isTrue();
    assertThat(direct("10.0.0.0/8", "https://10.1.2.3")).isTrue();
    assertThat(direct("10.0.0.0/8", "https://11.1.2.3")).isFalse();
    assertThat(direct("10.0.0.0/33,10.0.0.0/x,/8", "https://10.1.2.3")).isFalse();
    assertThat(direct("fd00::/8", "https://[fd12::1]")).isTrue();
    assertThat(direct("fd12::1", "https://[fd12::1]")).isTrue();
    assertThat(direct("[fd12::1]:443", "https://[fd12::1]")).isTrue();
    assertThat(direct("10.0.0.0/8", "https://[fd12::1]")).isFalse();
  }

  @Test
  void whatIsNoProxyIsLeftOut() {
    for (String text : List.of("socks5://a.example:1", "http://", "a b", ":")) {
      assertThat(select(Map.of("HTTP_PROXY", text), "http://reg.example")).isEqualTo("direct");
    }
  }

  @Test
  void aRegistryIsAskedThroughIt() throws Exception {
    byte[] blob = "a blob".getBytes(StandardCharsets.UTF_8);
    try (WireServer proxy =
            WireServer.start(call -> WireServer.Reply.of(200, "application/octet-stream", blob));
        HttpRegistries client =
            HttpRegistries.open(
                new RegistriesConfig(
                    List.of(
                        new RegistryHost(
                            "reg.invalid", URI.create("http://reg.invalid"), List.of("*"), false)),
                    Credentials.NONE,
                    "test/1",
                    Timeouts.STANDARD,
                    HostsDirectory.NONE),
                new EnvironmentProxies(Map.of("HTTP_PROXY", proxy.url())))) {
      Repository repository = client.repository(RepositoryName.parse("reg.invalid/app"));

      assertThat(repository.blobSize(Digest.of(blob))).hasValue(6);
      assertThat(proxy.calls().getFirst().path())
          .isEqualTo("http://reg.invalid/v2/app/blobs/" + Digest.of(blob));
    }
  }
}
