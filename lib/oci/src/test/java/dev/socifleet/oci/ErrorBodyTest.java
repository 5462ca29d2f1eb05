package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErrorBodyTest {
  private static ErrorBody read(String text) {
    return ErrorBody.read(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void codesAndMessagesAreTaken() {
    ErrorBody body =
        read(
            "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\",\"detail\":{}},"
                + "{\"code\":\"OTHER\"}]}");

    assertThat(body.codes()).containsExactly("DENIED", "OTHER");
    assertThat(body.reasons()).isEqualTo(": DENIED: no; OTHER");
  }

  @Test
  void whatIsNoErrorDocumentSaysNothing() {
    for (String text :
        List.of("", "<html>", "[]", "7", "{\"errors\":7}", "{\"errors\":[7,null,{}]}", "{")) {
      assertThat(read(text)).as(text).isEqualTo(new ErrorBody(List.of(), ""));
    }
  }

  @Test
  void foreignTextStaysOnOneShortLine() {
    ErrorBody body =
        read(
            "{\"errors\":[{\"code\":\"A\",\"message\":\"b\\nINFO forged\\u2028c"
                + "x".repeat(9000)
                + "\"}]}");

    assertThat(body.reasons()).doesNotContain("\n", "\u2028").hasSizeLessThan(250);
    assertThat(read("{\"errors\":[" + "{\"code\":\"A\"},".repeat(999) + "{}]}").codes())
        .hasSize(20);
  }

  @Test
  void secretsAreTakenOut() {
    assertThat(
            ErrorBody.harmless(
                "get https://joe:pw1@a.example/b?sig=pw2#c: Authorization: Basic pw3, bearer pw4"))
        .isEqualTo("get https://…@a.example/b?… Authorization: Basic …, bearer …");
  }
}
