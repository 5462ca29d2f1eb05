package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.oci.WireServer.Ending;
import dev.socifleet.oci.WireServer.Reply;
import java.io.InputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where answers lead to, and what goes along. */
class RedirectsIT extends RegistryFixture {
  private final byte[] bytes = random(1 << 20, 3);
  private Digest blob;
  private StrictRegistry storage;

  @BeforeEach
  void startStorage() throws Exception {
    storage = new StrictRegistry();
    blob = storage.addBlob("store", bytes);
    registry.addBlob("team/app", bytes);
    registry.auth = StrictRegistry.Auth.BASIC;
    use(TokenServer.USER);
  }

  @AfterEach
  void closeStorage() {
    storage.close();
    assertThat(storage.server().failures()).isEmpty(); // it fails where it sees an Authorization
  }

  private void redirect(int status, String location) {
    registry.disturb(
        1000,
        call -> call.path().contains("/blobs/") && call.header("Authorization").isPresent(),
        (call, real) -> Reply.of(status).with("Location", location));
  }

  private byte[] read() throws Exception {
    try (InputStream in = repository.openBlob(blob)) {
      return in.readAllBytes();
    }
  }

  @Test
  void aRedirectToAnotherHostIsFollowedWithoutAuthorization() throws Exception {
    for (int status : new int[] {301, 302, 303, 307, 308}) {
      redirect(status, storage.server().url() + "/v2/store/blobs/" + blob + "?signature=abc");

      assertThat(read()).isEqualTo(bytes);
    }
    assertThat(storage.server().calls())
        .hasSize(5)
        .allMatch(call -> call.header("Authorization").isEmpty())
        .allMatch(call -> "abc".equals(call.query().get("signature")));
  }

  @Test
  void aRangeGoesAlongAndABreakAsksTheRegistryAgain() throws Exception {
    redirect(307, storage.server().url() + "/v2/store/blobs/" + blob);
    storage.disturb(
        1, call -> true, (call, real) -> real.get().ending(new Ending.Cut(BlobReadIT.FAR)));

    assertThat(read()).isEqualTo(bytes);

    assertThat(storage.server().calls().getLast().header("Range")).hasValue("bytes=400000-1048575");
    assertThat(registry.server().calls("GET", "/blobs/")).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void aRedirectOnTheSameHostKeepsTheAuthorization() throws Exception {
    registry.addBlob("elsewhere", bytes);
    registry.disturb(
        1000,
        call -> call.path().startsWith("/v2/team/app/blobs/"),
        (call, real) ->
            call.header("Authorization").isPresent()
                ? Reply.of(307).with("Location", "/v2/elsewhere/blobs/" + blob)
                : real.get());

    assertThat(read()).isEqualTo(bytes);
  }

  @Test
  void aRedirectInCirclesEnds() {
    redirect(302, "/v2/team/app/blobs/" + blob);

    assertThatThrownBy(this::read)
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("too many redirects");
    assertThat(registry.server().calls().size()).isLessThan(15);
  }

  @Test
  void aRedirectToWhatIsNotHttpIsRefused() {
    for (String target : new String[] {"file:///etc/passwd", "ftp://a.example/x", "http:///x"}) {
      redirect(302, target);

      assertThatThrownBy(this::read)
          .as(target)
          .isInstanceOf(RegistryException.class)
          .hasMessageContaining("redirect");
      assertThat(storage.server().calls()).isEmpty();
    }
  }

  @Test
  void aRedirectTargetMayNotAskForThePassword() {
    redirect(307, storage.server().url() + "/v2/store/blobs/" + blob);
    storage.auth = StrictRegistry.Auth.TOKEN;

    assertThatThrownBy(this::read)
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("401");

    assertThat(storage.tokens().exchanges()).isZero();
  }

  @Test
  void aSignedAddressIsNotInTheError() {
    redirect(307, storage.server().url() + "/v2/store/blobs/" + blob + "?X-Signature=hidden");
    storage.disturb(100, call -> true, (call, real) -> Reply.error(403, "EXPIRED", "?sig=hidden"));

    assertThatThrownBy(this::read).hasMessageContaining("403").message().doesNotContain("hidden");
  }

  @Test
  void anUploadIsNotRedirected() {
    registry.disturb(
        1000,
        call -> call.method().equals("POST"),
        (call, real) -> Reply.of(307).with("Location", storage.server().url() + "/v2/x"));

    assertThatThrownBy(() -> repository.putBlob(Digest.of(utf8("x")), 1, BlobContent.of(utf8("x"))))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("307");
    assertThat(storage.server().calls()).isEmpty();
  }
}
