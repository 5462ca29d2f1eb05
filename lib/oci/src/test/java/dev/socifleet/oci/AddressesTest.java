package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
  private static final RegistryHost PUBLIC = RegistryHost.of("192.0.2.7");

  private static boolean mayFollow(RegistryHost from, String target) {
    return Addresses.mayFollow(from.base(), from.privateRedirects(), URI.create(target));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:0a00:0001::1"
      })
  void aPrivateAddressIsNotFollowedFromAPublicRegistry(String address) throws Exception {
    assertThat(Addresses.isPrivate(InetAddress.getByName(address))).isTrue();
    String host = address.contains(":") ? "[" + address + "]" : address;
    assertThat(mayFollow(PUBLIC, "https://" + host + "/x")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "64:ff9b::808:808",
        "2002:808:808::1"
      })
  void aPublicAddressIsFollowed(String address) throws Exception {
    assertThat(Addresses.isPrivate(InetAddress.getByName(address))).isFalse();
  }

  @Test
  void aRegistryOnAPrivateAddressMaySendAnywhere() {
    assertThat(mayFollow(RegistryHost.of("10.0.0.1"), "http://10.0.0.2/x")).isTrue();
    assertThat(mayFollow(RegistryHost.of("10.0.0.1"), "https://93.184.215.14/x")).isTrue();
  }

  @Test
  void itsOwnHostAndWhatTheOperatorAllowsAreFollowed() {
    assertThat(mayFollow(PUBLIC, "http://192.0.2.7:8080/x")).isTrue();
    RegistryHost trusting =
        new RegistryHost("192.0.2.7", URI.create("https://192.0.2.7"), List.of("*"), true);
    assertThat(mayFollow(trusting, "http://10.0.0.2/x")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"file:///etc/passwd", "ftp://192.0.2.7/x", "https:/x", "x", "jar:http://x!/"})
  void whatIsNotHttpIsNotFollowed(String target) {
    assertThat(mayFollow(PUBLIC, target)).isFalse();
  }
}
