package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.Needs;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the start of a command must not do. A look for what isn't on the class path opens every jar,
 * which takes as long as all the rest; it comes with a library unasked.
 */
@Timeout(300)
class StartIT {
  @TempDir Path directory;

  @Test
  void aZtocIsBuiltWithoutALookForWhatIsNotThere() throws Exception {
    Path jar = Path.of("target/cli-1.0.0.jar").toAbsolutePath();
    Needs.met(Files.exists(jar), "the cli's jar isn't built");
    Path layer = directory.resolve("layer.tar.gz");
    try (OutputStream gzip = new GZIPOutputStream(Files.newOutputStream(layer))) {
      gzip.write(new byte[1024]);
    }
    Path log = directory.resolve("classes");

    Process process =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "-Xlog:class+init=info:file=" + log + ":none",
                "-cp",
                jar + ":" + jar.resolveSibling("lib") + "/*",
                "dev.socifleet.cli.Soci",
                "ztoc",
                "build",
                layer.toString(),
                "--output",
                directory.resolve("layer.ztoc").toString())
            .redirectErrorStream(true)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(out).isZero();
    assertThat(out).contains("sha256:");
    List<String> initialized =
        Files.readAllLines(log).stream()
            .filter(line -> line.contains("Initializing"))
            .map(line -> line.replaceAll(".*Initializing '([^']*)'.*", "$1"))
            .toList();
    assertThat(initialized)
        .contains("dev/socifleet/ztoc/ZtocBuilder")
        .as("a class that isn't there")
        .doesNotContain("java/lang/ClassNotFoundException")
        .as("a resource in all jars")
        .doesNotContain("jdk/internal/loader/URLClassPath$1");
  }
}
