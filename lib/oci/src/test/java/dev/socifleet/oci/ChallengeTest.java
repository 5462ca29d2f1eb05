package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChallengeTest {
  private static final Challenge TOKEN =
      new Challenge.Bearer(URI.create("https://auth.example/token"), "a \"service\"");

  @Test
  void aTokenIsPreferredToAPassword() {
    String bearer = "Bearer realm=\"https://auth.example/token\",service=\"a \\\"service\\\"\"";
    assertThat(Challenge.of(List.of("Basic realm=\"x\"", bearer))).hasValue(TOKEN);
    assertThat(Challenge.of(List.of("Basic realm=\"x\", " + bearer))).hasValue(TOKEN);
    assertThat(Challenge.of(List.of(bearer + ", Basic realm=x"))).hasValue(TOKEN);
  }

  @Test
  void spacesCaseAndOtherParametersDoNotMatter() {
    assertThat(
            Challenge.of(
                List.of(
                    "BEARER  Realm = \"https://auth.example/token\" , error=\"invalid_token\""
                        + ", SERVICE=\"a \\\"service\\\"\", scope=\"repository:other:push\"")))
        .hasValue(TOKEN);
  }

  @Test
  void whatIsNoChallengeIsNone() {
    for (String header :
        List.of(
            "",
            ",",
            "Negotiate abc==",
            "Bearer",
            "Bearer realm",
            "Bearer realm=",
            "=,=",
            "Bearer realm=\"/token\"",
            "Bearer realm=\":::\"",
            "\"",
            "Bearer realm=\"x",
            "Digest realm=\"x\", nonce=\"y\"")) {
      assertThat(Challenge.of(List.of(header))).as(header).isEmpty();
    }
  }

  @Test
  void aPasswordIsWanted() {
    assertThat(Challenge.of(List.of("Basic"))).hasValue(new Challenge.Basic());
    assertThat(Challenge.of(List.of("Negotiate abc==", "basic realm=\"a, b\"")))
        .hasValue(new Challenge.Basic());
  }

  @Test
  void anyTextIsReadToItsEnd() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    String alphabet = "Bearer Basic realm=\"\\,= \t\u00e4;:/";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder header = new StringBuilder();
      for (int j = random.nextInt(60); j > 0; j--) {
        header.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      assertThat(Challenge.of(List.of(header.toString()))).as("seed %d", seed).isNotNull();
    }
    assertThat(Challenge.of(List.of("Basic " + "a,".repeat(10_000)))).isEmpty();
  }
}
