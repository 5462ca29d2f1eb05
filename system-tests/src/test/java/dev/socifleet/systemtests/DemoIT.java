package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code soci demo --once} as a user runs it: push, index, lazy start, full start, nothing left.
 */
@Timeout(1200)
class DemoIT {
  @TempDir Path directory;

  @Test
  void theDemoStartsTheImageLazilyAndLeavesNothingBehind() throws Exception {
    Needs.root();
    Needs.fuse();
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process demo =
        new ProcessBuilder(command(temporary))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      assertThat(demo.waitFor(15, TimeUnit.MINUTES)).as("it ends").isTrue();
    } finally {
      demo.destroy();
    }
    assertThat(demo.exitValue()).as(Files.readString(err)).isZero();

    JsonNode result = new JsonMapper().readTree(Files.readString(out));
    long image = result.path("imageBytes").asLong();
    assertThat(image).isGreaterThan(200_000_000);
    assertThat(result.path("layers").asInt()).isGreaterThanOrEqualTo(3);
    assertThat(result.path("warm").asBoolean()).isFalse();
    // Something came, and far from everything: a lazy start that read nothing was none.
    assertThat(result.path("lazyBytes").asLong()).isBetween(1_000_000L, image / 3);
    assertThat(result.path("fullBytes").asLong()).isEqualTo(image);
    assertThat(result.path("lazyFirstOutputSeconds").asDouble()).isPositive();
    assertThat(Files.readString(err)).contains("v1 ", "v2 ").contains("lazy     mounted in");

    assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain(temporary.toString());
    try (var left = Files.list(temporary)) {
      assertThat(left.filter(path -> path.getFileName().toString().startsWith("soci"))).isEmpty();
    }
    assertThat(commandLines()).noneMatch(line -> line.contains(temporary.toString()));
  }

  private static List<String> command(Path temporary) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-Xmx768m",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Duser.timezone=UTC",
        "-Djava.io.tmpdir=" + temporary,
        "-cp",
        classPath,
        "dev.socifleet.cli.Soci",
        "demo",
        "--once",
        "--json",
        "--free-ports");
  }

  private static List<String> commandLines() throws IOException {
    List<String> lines = new ArrayList<>();
    try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        try {
          byte[] line = Files.readAllBytes(process.resolve("cmdline"));
          lines.add(new String(line, StandardCharsets.ISO_8859_1).replace('\0', ' '));
        } catch (IOException e) {
          // it has ended
        }
      }
    }
    return lines;
  }
}
