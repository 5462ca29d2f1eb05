package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who gets a password, and in what form. */
class AuthenticationTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final KnownHost known = new KnownHost(Duration.ofSeconds(1));

  private Authentication of(String host, boolean privateRedirects) {
    return new Authentication(
        client,
        new Tokens("test/1"),
        Endpoint.of(RegistryHost.of(host)),
        privateRedirects,
        known,
        RepositoryName.parse(host + "/app"));
  }

  @AfterEach
  void close() {
    client.shutdownNow();
  }

  private static List<String> bearer(String realm) {
    return List.of("Bearer realm=\"" + realm + "\",service=\"s\"");
  }

  @Test
  void aPublicRegistryMayNotNameATokenServerOnAPrivateAddress() {
    for (String realm :
        List.of("https://127.0.0.1/t", "https://169.254.169.254/latest", "https://[::1]/t")) {
      assertThatThrownBy(() -> of("192.0.2.7", false).note(bearer(realm)))
          .as(realm)
          .hasMessageContaining("a private address");
    }
    assertThat(known.challenge).isNull();
    assertThat(of("192.0.2.7", true).note(bearer("https://127.0.0.1/t"))).isTrue();
  }

  @Test
  void aPasswordIsNotSentInTheClearWhereTheRegistryItselfIsSafe() {
    assertThatThrownBy(() -> of("192.0.2.7", false).note(bearer("http://192.0.2.7/t")))
        .hasMessageContaining("over plain http");
    assertThat(of("127.0.0.1:5000", false).note(bearer("http://127.0.0.1:5001/t"))).isTrue();
  }

  @Test
  void whatWeDoNotSpeakIsNotNoted() {
    assertThat(of("192.0.2.7", false).note(List.of("Negotiate"))).isFalse();
    assertThat(of("192.0.2.7", false).note(List.of())).isFalse();
    assertThat(known.challenge).isNull();
  }

  @Test
  void withoutAChallengeOnlyACallersTokenIsSent() throws Exception {
    Authentication authentication = of("192.0.2.7", false);

    for (Credential credential :
        List.of(
            new Credential.Anonymous(),
            new Credential.Basic("user", "secret"),
            new Credential.IdentityToken("refresh"),
            new Credential.Authorization("Basic abc"))) {
      assertThat(authentication.header(Scope.PULL, credential, "")).isNull();
    }
    assertThat(authentication.header(Scope.PULL, new Credential.Authorization("bearer abc"), ""))
        .isEqualTo("bearer abc");
  }

  @Test
  void aPasswordIsSentWhereItIsAskedFor() throws Exception {
    Authentication authentication = of("192.0.2.7", false);
    authentication.note(List.of("Basic realm=\"x\""));

    assertThat(
            authentication.header(Scope.PULL, new Credential.Basic("Aladdin", "open sesame"), ""))
        .isEqualTo("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assertThat(authentication.header(Scope.PULL, new Credential.Anonymous(), "")).isNull();
    assertThat(authentication.header(Scope.PULL, new Credential.IdentityToken("t"), "")).isNull();
  }

  @Test
  void aMountNeedsBothRepositories() {
    assertThat(
            Scope.mount(RepositoryName.parse("192.0.2.7/base"))
                .on(RepositoryName.parse("192.0.2.7/app")))
        .isEqualTo("repository:app:pull,push repository:base:pull");
  }
}
