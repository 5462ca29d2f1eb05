package dev.socifleet.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class SettingsTest {
  @TempDir Path directory;

  private Path file(String toml) throws Exception {
    return Files.writeString(directory.resolve("service.toml"), toml);
  }

  private static List<String> problems(Settings settings) {
    return catchThrowableOfType(BadSettingsException.class, settings::finish).problems();
  }

  @Test
  void anArgumentWinsOverAVariableAndAVariableOverTheFile() throws Exception {
    Settings settings =
        Settings.load(
            "indexer",
            Map.of("SOCI_INDEXER_B", "variable", "SOCI_INDEXER_C", "variable"),
            "--config",
            file("a = 'file'\nb = 'file'\nc = 'file'").toString(),
            "--c=argument");

    assertThat(settings.text("a", "")).isEqualTo("file");
    assertThat(settings.text("b", "")).isEqualTo("variable");
    assertThat(settings.text("c", "")).isEqualTo("argument");
    assertThat(settings.text("d", "default")).isEqualTo("default");
    settings.finish();
  }

  @Test
  void dotsAndDashesOfAKeyAreUnderscoresInAVariable() {
    Settings settings =
        Settings.load("fetch-cache", Map.of("SOCI_FETCH_CACHE_TLS_KEY_FILE", "x", "HOME", "/root"));

    assertThat(settings.text("tls.key-file", "")).isEqualTo("x");
    settings.finish();
  }

  @Test
  void tablesAreCountedWhereverTheyComeFrom() throws Exception {
    Settings settings =
        Settings.load(
            "ingest",
            Map.of("SOCI_INGEST_SOURCE_1_NAME", "second"),
            "--config=" + file("[[source]]\nname = 'first'"),
            "--source.2.name=third");

    assertThat(settings.tables("source"))
        .extracting(table -> table.required("name"))
        .containsExactly("first", "second", "third");
    settings.finish();
  }

  @Test
  void aListIsAnArrayOrATextWithCommas() throws Exception {
    Settings settings =
        Settings.load(
            "node", Map.of(), "--config", file("a = ['x', 'y, z']").toString(), "--b=x, y,");

    assertThat(settings.list("a")).containsExactly("x", "y, z");
    assertThat(settings.list("b")).containsExactly("x", "y");
    assertThat(settings.list("c")).isEmpty();
  }

  @Test
  void everyProblemIsToldAtOnceWithItsKey() throws Exception {
    Settings settings =
        Settings.load(
            "pusher",
            Map.of("SOCI_PUSHER_TYPO", "1", "SOCI_PUSHER_SERVICE_HOST", "of Kubernetes"),
            "--config",
            file("size = 'big'\nunknown = 1\nflag = 'perhaps'\n[[source]]\nblank = ' '").toString(),
            "--count=12",
            "nonsense");
    assertThat(settings.bytes("size", 7)).isEqualTo(7);
    assertThat(settings.number("count", 3, 1, 10)).isEqualTo(3);
    assertThat(settings.flag("flag", true)).isTrue();
    settings.required("missing");
    settings.tables("source").forEach(table -> table.required("blank"));

    assertThat(problems(settings))
        .hasSize(8)
        .anyMatch(line -> line.startsWith("nonsense: not understood"))
        .anyMatch(line -> line.startsWith("size: 'big' is not a size such as 64MiB"))
        .contains("count: '12' is not a whole number: expected 1 to 10")
        .anyMatch(line -> line.startsWith("flag: 'perhaps' is not true or false"))
        .contains("missing: is missing", "source.0.blank: is blank")
        .contains("unknown: no such setting", "SOCI_PUSHER_TYPO: no such setting");
  }

  @Test
  void aSecretComesFromItsValueOrItsFileButNotBoth() throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), "of the file\n");
    Settings settings =
        Settings.of(
            Map.of(
                "a",
                "direct",
                "b-file",
                secret.toString(),
                "c",
                "x",
                "c-file",
                secret.toString(),
                "d-file",
                directory.resolve("none").toString(),
                "e",
                "  "));

    assertThat(settings.secret("a").orElseThrow().reveal()).isEqualTo("direct");
    assertThat(settings.secret("b").orElseThrow().reveal()).isEqualTo("of the file");
    assertThat(settings.secret("c")).isEmpty();
    assertThat(settings.secret("d")).isEmpty();
    assertThat(settings.secret("e")).isEmpty();
    assertThat(problems(settings))
        .hasSize(3)
        .anyMatch(line -> line.startsWith("c: is set, and c-file too"))
        .anyMatch(line -> line.startsWith("d-file: cannot read it"))
        .anyMatch(line -> line.startsWith("e: is blank"));
  }

  @Test
  void aFileThatIsNotTomlIsToldWithItsLine() throws Exception {
    Path file = file("a = 1\nb = = 2\n");

    assertThatThrownBy(() -> Settings.load("node", Map.of(), "--config", file.toString()))
        .isInstanceOf(BadSettingsException.class)
        .hasMessageContaining("is not TOML: line 2");
    assertThatThrownBy(() -> Settings.load("node", Map.of(), "--config", directory + "/none"))
        .isInstanceOf(BadSettingsException.class)
        .hasMessageContaining("cannot read");
  }

  @Test
  void quantitiesAreAsPeopleWriteThem() {
    Settings settings =
        Settings.of(
            Map.of(
                "kib",
                "512KiB",
                "mb",
                "3 MB",
                "plain",
                "17",
                "far",
                "9999999999TiB",
                "ms",
                "250ms",
                "days",
                "7d",
                "bare",
                "30",
                "v6",
                "[::1]:80",
                "port",
                "host:70000"));

    assertThat(settings.bytes("kib", 0)).isEqualTo(512 << 10);
    assertThat(settings.bytes("mb", 0)).isEqualTo(3_000_000);
    assertThat(settings.bytes("plain", 0)).isEqualTo(17);
    assertThat(settings.bytes("far", 1)).isEqualTo(1);
    assertThat(settings.duration("ms", Duration.ZERO)).isEqualTo(Duration.ofMillis(250));
    assertThat(settings.duration("days", Duration.ZERO)).isEqualTo(Duration.ofDays(7));
    assertThat(settings.duration("bare", Duration.ZERO)).isZero();
    assertThat(settings.address("v6", "a:1").getHostString()).isEqualTo("::1");
    assertThat(settings.address("port", "a:1").getPort()).isEqualTo(1);
    assertThat(problems(settings))
        .hasSize(3)
        .anyMatch(line -> line.startsWith("far: "))
        .contains("bare: '30' is not a duration such as 30s: units are ms, s, m, h, d")
        .anyMatch(line -> line.contains("ports end at 65535"));
  }
}
