package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Layers of any size are indexed in little memory: each in a process with no more than that. */
@Timeout(900)
class BuildMemoryIT {
  @Test
  void twoGibibytesAreIndexedIn256Mebibytes() throws Exception {
    assertThat(run("-Xmx256m", "one-file", "2048"))
        .matches("built: \\d+ bytes, \\d+ spans, 1 files, 2147485184 uncompressed\\s*");
  }

  @Test
  void aMillionFilesAreIndexedInOneGibibyte() throws Exception {
    assertThat(run("-Xmx1g", "empty-files", "1000000"))
        .matches("built: \\d+ bytes, \\d+ spans, 1000000 files, 512001024 uncompressed\\s*");
  }

  private static String run(String heap, String... args) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            heap,
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            LargeLayer.class.getName());
    builder.command().addAll(java.util.List.of(args));
    Process process = builder.redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(800, TimeUnit.SECONDS)).isTrue();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }
}
