package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Digests, references, ranges, hosts: what text may become of them. */
class NamesTest {
  private static final String HEX =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @Test
  void aDigestIsOfItsBytes() {
    byte[] abc = "abc".getBytes(StandardCharsets.UTF_8);

    assertThat(Digest.of(abc)).hasToString("sha256:" + HEX);
    assertThat(Digest.parse("sha256:" + HEX).matches(abc)).isTrue();
    assertThat(Digest.parse("sha256:" + HEX).matches(new byte[3])).isFalse();
    assertThat(Digest.parse("sha256:" + HEX).hash()).hasSize(32);
  }

  @Test
  void aSha512DigestIsOne() {
    Digest digest = Digest.parse("sha512:" + "0f".repeat(64));

    assertThat(digest.newMessageDigest().getDigestLength()).isEqualTo(64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sha256", "sha256:", "sha256:AB", "md5:00", ":00", "sha256:../../x"})
  void whatIsNoDigestIsRefused(String text) {
    assertThatThrownBy(() -> Digest.parse(text)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Digest.parse(text + "G".repeat(64)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "alpine, docker.io/library/alpine:latest",
    "alpine:3, docker.io/library/alpine:3",
    "team/app, docker.io/team/app:latest",
    "docker.io/alpine, docker.io/library/alpine:latest",
    "index.docker.io/team/app:1, docker.io/team/app:1",
    "localhost/app, localhost/app:latest",
    "localhost:5000/app, localhost:5000/app:latest",
    "127.0.0.1:5000/a/b/c:x_1.2-3, 127.0.0.1:5000/a/b/c:x_1.2-3",
    "[::1]:5000/app:1, [::1]:5000/app:1",
    "REG.example/app, reg.example/app:latest"
  })
  void aReferenceIsReadAsDockerReadsIt(String text, String whole) {
    assertThat(ImageReference.parse(text)).hasToString(whole);
  }

  @Test
  void aDigestWinsOverATag() {
    ImageReference both = ImageReference.parse("reg.example/app:1@sha256:" + HEX);

    assertThat(both.tag()).isEqualTo("1");
    assertThat(both.tagOrDigest()).isEqualTo("sha256:" + HEX);
    assertThat(ImageReference.parse("reg.example/app@sha256:" + HEX).tag()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "@",
        "reg.example/",
        "reg.example/App",
        "reg.example/a//b",
        "reg.example/../b",
        "reg.example/a:",
        "reg.example/a:b/c:",
        "reg.example/a:-x",
        "reg.example/a@sha256:12",
        "reg.example:x/a",
        "reg.example/a b",
        "reg.example/a\nb",
        "user@reg.example/a"
      })
  void whatIsNoReferenceIsRefused(String text) {
    assertThatThrownBy(() -> ImageReference.parse(text))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aRangeIsWrittenWithBothEndsInclusive() {
    assertThat(new ByteRange(10, 20).toHttp()).isEqualTo("10-19");
    assertThat(ByteRange.parseHttp("10-19")).isEqualTo(new ByteRange(10, 20));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "1-",
        "-1",
        "2-1",
        "a-b",
        "1-2,3-4",
        " 1-2",
        "1-9999999999999999999",
        "1--2"
      })
  void whatIsNoRangeIsRefused(String text) {
    assertThatThrownBy(() -> ByteRange.parseHttp(text))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "docker.io, https://registry-1.docker.io",
    "reg.example, https://reg.example",
    "reg.example:5000, https://reg.example:5000",
    "localhost:5000, http://localhost:5000",
    "127.0.0.1, http://127.0.0.1",
    "127.0.0.1.example, https://127.0.0.1.example",
    "localhost.example, https://localhost.example",
    "[::1]:5000, http://[::1]:5000"
  })
  void aHostsAddressIsHttpsUnlessItIsThisMachine(String host, String base) {
    assertThat(RegistryHost.of(host).base()).hasToString(base);
  }

  @Test
  void patternsOfRepositoriesStandForAnyText() {
    assertThat(RegistryHost.matches("*", "team/app")).isTrue();
    assertThat(RegistryHost.matches("team/*", "team/a/b")).isTrue();
    assertThat(RegistryHost.matches("team/*", "teams/a")).isFalse();
    assertThat(RegistryHost.matches("a.c", "abc")).isFalse();
  }
}
