package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Docker's configuration, with helpers that are processes. */
class DockerConfigCredentialsIT {
  private static final Credential NONE = new Credential.Anonymous();
  @TempDir Path directory;

  private Credential of(String repository) {
    return new DockerConfigCredentials(directory.resolve("config.json"), List.of(directory))
        .of(RepositoryName.parse(repository));
  }

  private void config(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json);
  }

  private void helper(String name, String script) throws IOException {
    Path file = directory.resolve("docker-credential-" + name);
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void noFileIsNoCredential() {
    assertThat(of("reg.example/app")).isEqualTo(NONE);
  }

  @Test
  void aLoginIsFoundByItsHost() throws Exception {
    config(
        "{\"auths\":{\"reg.example\":{\"auth\":\"%s\"},\"https://b.example\":{\"auth\":\"%s\"}}}"
            .formatted(base64("joe:pa:ss"), base64("ann:x")));

    assertThat(of("reg.example/app")).isEqualTo(new Credential.Basic("joe", "pa:ss"));
    assertThat(of("b.example/app")).isEqualTo(new Credential.Basic("ann", "x"));
    assertThat(of("reg.example:5000/app")).isEqualTo(NONE);
    assertThat(of("evil-reg.example/app")).isEqualTo(NONE);
  }

  @Test
  void dockerHubHasANameOfItsOwn() throws Exception {
    config(
        "{\"auths\":{\"https://index.docker.io/v1/\":{\"username\":\"joe\",\"password\":\"x\"}}}");

    assertThat(of("docker.io/library/alpine")).isEqualTo(new Credential.Basic("joe", "x"));
  }

  @Test
  void anIdentityTokenIsPreferred() throws Exception {
    config(
        "{\"auths\":{\"reg.example\":{\"auth\":\"%s\",\"identitytoken\":\"t\"}}}"
            .formatted(base64("joe:x")));

    assertThat(of("reg.example/app")).isEqualTo(new Credential.IdentityToken("t"));
  }

  @Test
  void aLoginTakesEffectAtOnce() throws Exception {
    config("{}");
    Credentials credentials =
        new DockerConfigCredentials(directory.resolve("config.json"), List.of());
    assertThat(credentials.of(RepositoryName.parse("reg.example/app"))).isEqualTo(NONE);

    config("{\"auths\":{\"reg.example\":{\"auth\":\"%s\"}}}".formatted(base64("joe:x")));

    assertThat(credentials.of(RepositoryName.parse("reg.example/app")))
        .isEqualTo(new Credential.Basic("joe", "x"));
  }

  @Test
  void aHelperIsAskedForItsHost() throws Exception {
    config("{\"credHelpers\":{\"reg.example\":\"ours\"},\"credsStore\":\"all\"}");
    helper(
        "ours",
        "read -r host; echo \"{\\\"ServerURL\\\":\\\"$host\\\",\\\"Username\\\":\\\"$1\\\","
            + "\\\"Secret\\\":\\\"$host\\\"}\"");
    helper("all", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");

    assertThat(of("reg.example/app")).isEqualTo(new Credential.Basic("get", "reg.example"));
    assertThat(of("b.example/app")).isEqualTo(new Credential.IdentityToken("refresh"));
  }

  @Test
  void aHelperThatHasNoneLeavesTheFile() throws Exception {
    config(
        "{\"credsStore\":\"none\",\"auths\":{\"reg.example\":{\"auth\":\"%s\"}}}"
            .formatted(base64("joe:x")));
    helper("none", "echo 'credentials not found in native keychain'; exit 1");

    assertThat(of("reg.example/app")).isEqualTo(new Credential.Basic("joe", "x"));
  }

  @Test
  void brokenHelpersAreNoCredential() throws Exception {
    config(
        "{\"credHelpers\":{\"a.example\":\"broken\",\"b.example\":\"missing\","
            + "\"c.example\":\"../../bin/sh\",\"d.example\":\"loud\",\"e.example\":\"deaf\"}}");
    helper("broken", "echo not json");
    helper("loud", "head -c 3000000 /dev/zero");
    helper("deaf", "exec <&-; echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");

    for (String host : List.of("a.example", "b.example", "c.example", "d.example")) {
      assertThat(of(host + "/app")).as(host).isEqualTo(NONE);
    }
    assertThat(of("e.example/app")).isEqualTo(new Credential.Basic("u", "s"));
  }

  @Test
  void brokenFilesAreNoCredential() throws Exception {
    for (String json :
        List.of(
            "",
            "{",
            "[]",
            "7",
            "{\"auths\":7}",
            "{\"auths\":{\"reg.example\":7}}",
            "{\"auths\":{\"reg.example\":{\"auth\":\"%%%\"}}}",
            "{\"auths\":{\"reg.example\":{\"auth\":\"bm9jb2xvbg==\"}}}")) {
      config(json);

      assertThat(of("reg.example/app")).as(json).isEqualTo(NONE);
    }
  }

  @Test
  void credentialsDoNotShowSecrets() {
    assertThat(
            List.of(
                new Credential.Basic("joe", "hidden"),
                new Credential.IdentityToken("hidden"),
                new Credential.Authorization("Bearer hidden")))
        .allSatisfy(credential -> assertThat(credential.toString()).doesNotContain("hidden"));
  }
}
