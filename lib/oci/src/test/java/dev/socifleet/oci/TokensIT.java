package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.StrictRegistry.Auth;
import dev.socifleet.oci.WireServer.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How the client proves who it is. */
class TokensIT extends RegistryFixture {
  private Digest blob;

  @BeforeEach
  void addBlob() throws Exception {
    blob = registry.addBlob("team/app", utf8("a blob"));
    registry.auth = Auth.TOKEN;
    use(TokenServer.USER);
  }

  private TokenServer tokens() {
    return registry.tokens();
  }

  private void together(int threads, Callable<?> call) throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        all.add(executor.submit(call));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
  }

  @Test
  void aPasswordIsExchangedForATokenOnce() throws Exception {
    for (int i = 0; i < 10; i++) {
      assertThat(repository.blobSize(blob)).hasValue(6);
    }

    assertThat(tokens().exchanges()).isEqualTo(1);
    assertThat(registry.server().calls()).hasSize(11);
  }

  @Test
  void manyThatAskAtOnceShareOneExchange() throws Exception {
    tokens().delay = Duration.ofMillis(300);

    together(50, () -> repository.blobSize(blob));

    assertThat(tokens().exchanges()).isEqualTo(1);
  }

  @Test
  void anExchangeThatFailsFailsForAllThatWaitForIt() throws Exception {
    use(new Credential.Basic("user", "wrong"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.status()).isEqualTo(401);
    assertThat(failure.temporary()).isFalse();
    assertThat(failure).hasMessageContaining("cannot get a token for " + repository.name());
    assertThat(failure).message().doesNotContain("wrong:", "dXNlc");
  }

  @Test
  void pullAndPushHaveTokensOfTheirOwn() throws Exception {
    repository.blobSize(blob);
    repository.putBlob(Digest.of(utf8("new")), 3, BlobContent.of(utf8("new")));

    assertThat(tokens().server().calls())
        .extracting(call -> call.query().get("scope"))
        .containsExactly("repository:team/app:pull", "repository:team/app:pull,push");
  }

  /** One exchange for each life of a token, of which a tenth is left then, however many ask. */
  @Test
  void tokensThatExpireInThreeSecondsAreRenewedOnceEach() throws Exception {
    tokens().life = Duration.ofSeconds(3);
    long began = System.nanoTime();

    together(
        16,
        () -> {
          while (tokens().exchanges() < 3) {
            assertThat(repository.blobSize(blob)).hasValue(6);
            Thread.sleep(20);
          }
          return null;
        });

    long lives = (System.nanoTime() - began) / Duration.ofMillis(2_700).toNanos();
    assertThat(tokens().exchanges()).isLessThanOrEqualTo(1 + (int) lives);
  }

  @Test
  void aTokenThatTheRegistryForgotIsReplacedOnce() throws Exception {
    repository.blobSize(blob);
    tokens().revokeAll();
    tokens().delay = Duration.ofMillis(200);

    together(30, () -> repository.blobSize(blob));

    assertThat(tokens().exchanges()).isEqualTo(2);
  }

  @Test
  void anIdentityTokenIsExchangedByTheOauthForm() throws Exception {
    use(TokenServer.REFRESH);

    assertThat(repository.blobSize(blob)).hasValue(6);

    assertThat(tokens().server().calls("POST", "/token")).hasSize(1);
  }

  @Test
  void whoHasNoCredentialGetsAnAnonymousToken() throws Exception {
    tokens().anonymous = true;
    use(new Credential.Anonymous());

    assertThat(repository.blobSize(blob)).hasValue(6);
    RegistryException failure =
        catchThrowableOfType(
            RegistryException.class,
            () -> repository.putBlob(Digest.of(utf8("n")), 1, BlobContent.of(utf8("n"))));
    assertThat(failure.denied()).isTrue();
    assertThat(failure.temporary()).isFalse();
  }

  @Test
  void aTokenThatIsTooWeakIsNotAskedForAgainAndAgain() {
    tokens().life = Duration.ofSeconds(-10); // dead when it is born

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.status()).isEqualTo(401);
    assertThat(tokens().exchanges()).isLessThanOrEqualTo(2);
  }

  @Test
  void aTokenServerThatFailsForNowIsAskedAgain() throws Exception {
    int[] asked = {0};
    try (WireServer flaky =
        WireServer.start(call ->
            asked[0]++ < 2
                ? Reply.of(503)
                : Reply.of(200, "application/json", utf8("{\"token\":\"good\"}")))) {
      registry.disturb(
          100,
          call -> true,
          (call, real) ->
              call.header("Authorization").orElse("").equals("Bearer good")
                  ? Reply.of(200).with("Content-Length", "6")
                  : Reply.of(401)
                      .with("WWW-Authenticate", "Bearer realm=\"" + flaky.url() + "/t\""));

      assertThat(repository.blobSize(blob)).hasValue(6);
    }
  }

  @Test
  void anAnswerWithoutATokenIsRefusedAndNotShown() throws Exception {
    for (String answer :
        List.of(
            "", "secret!", "{}", "{\"token\":7}", "{\"token\":\"a b\"}", "{\"token\":\"a\\n\"}")) {
      try (WireServer broken =
          WireServer.start(_ -> Reply.of(200, "application/json", utf8(answer)))) {
        registry.disturb(
            4,
            call -> true,
            (call, real) ->
                Reply.of(401).with("WWW-Authenticate", "Bearer realm=\"" + broken.url() + "/t\""));

        RegistryException failure =
            catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

        assertThat(failure).as(answer).isNotNull();
        assertThat(failure).message().doesNotContain("secret!");
      }
    }
  }

  @Test
  void aRegistryThatWantsBasicGetsIt() throws Exception {
    registry.auth = Auth.BASIC;

    assertThat(repository.blobSize(blob)).hasValue(6);
    assertThat(repository.blobSize(blob)).hasValue(6);

    assertThat(registry.server().calls()).hasSize(3);
    assertThat(repository.pullAuthorization()).hasValue("Basic dXNlcjpzZWNyZXQ=");
  }

  @Test
  void aWrongPasswordIsRefusedForGood() throws Exception {
    registry.auth = Auth.BASIC;
    use(new Credential.Basic("user", "wrong"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.denied()).isTrue();
    assertThat(registry.server().calls()).hasSize(2);
  }

  @Test
  void noPasswordIsSentToARegistryThatDoesNotAsk() throws Exception {
    registry.auth = Auth.NONE; // it fails the test where it sees an Authorization

    assertThat(repository.blobSize(blob)).hasValue(6);
    assertThat(repository.pullAuthorization()).isEmpty();
  }

  @Test
  void aCallersTokenIsSentAsItIsAndNeverRenewed() throws Exception {
    String header = repository.pullAuthorization().orElseThrow();
    use(new Credential.Authorization(header));

    assertThat(repository.blobSize(blob)).hasValue(6);
    tokens().revokeAll();
    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.denied()).isTrue();
    assertThat(tokens().exchanges()).isEqualTo(1);
  }

  @Test
  void aPasswordThatWasRenewedIsLookedUpAgain() throws Exception {
    for (Auth auth : new Auth[] {Auth.BASIC, Auth.TOKEN}) {
      registry.auth = auth;
      Credential[] current = {new Credential.Basic("user", "old")};
      Identity identity = new Identity(() -> current[0], Duration.ZERO);
      repository = client.repository(registry.repository("team/app"), identity);
      assertThat(catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob)))
          .matches(RegistryException::denied);

      current[0] = TokenServer.USER;

      assertThat(repository.blobSize(blob)).hasValue(6);
    }
  }

  @Test
  void aCredentialIsLookedUpOnlyWhereItIsWanted() throws Exception {
    registry.auth = Auth.NONE;
    client.close();
    client =
        client(_ -> {
          throw new AssertionError("nobody asked for a credential");
        });

    assertThat(client.repository(registry.repository("team/app")).blobSize(blob)).hasValue(6);
  }

  @Test
  void oneCallersTokenIsNotAnothers() throws Exception {
    repository.blobSize(blob);

    RegistryException failure =
        catchThrowableOfType(
            RegistryException.class,
            () ->
                client
                    .repository(registry.repository("team/app"), new Credential.Anonymous())
                    .blobSize(blob));

    assertThat(failure.denied()).isTrue();
  }
}
