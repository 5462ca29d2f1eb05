package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher with what this build has made; it never builds here. */
@Timeout(600)
class LauncherIT {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  @TempDir Path directory;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Ended(int status, byte[] out, String err) {
    String text() {
      return new String(out, StandardCharsets.UTF_8);
    }
  }

  @BeforeAll
  static void isPackaged() {
    Needs.met(Files.exists(Path.of("target/cli-1.0.0.jar")), "the cli's jar isn't built");
  }

  private Ended soci(Object... arguments) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(CHECKOUT.resolve("soci").toString());
    for (Object argument : arguments) {
      builder.command().add(argument.toString());
    }
    builder.environment().put("SOCI_BUILD", "no");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Path err = directory.resolve("err");
    Process process = builder.directory(directory.toFile()).redirectError(err.toFile()).start();
    try {
      process.getOutputStream().close();
      byte[] out = process.getInputStream().readAllBytes();
      assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
      return new Ended(process.exitValue(), out, Files.readString(err));
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void theVersionIsOneLine() throws Exception {
    Ended ended = soci("--version");

    assertThat(ended.err()).isEmpty();
    assertThat(ended.text()).isEqualTo("soci version " + Soci.VERSION + " soci-fleet\n");
    assertThat(ended.status()).isZero();
  }

  @Test
  void aLayerIsIndexedAndReadByRelativeNames() throws Exception {
    byte[] tar =
        Objects.requireNonNull(LauncherIT.class.getResourceAsStream("/layers/two-files.tar"))
            .readAllBytes();
    try (var gzip =
        new GZIPOutputStream(Files.newOutputStream(directory.resolve("layer.tar.gz")))) {
      gzip.write(tar);
    }

    Ended built = soci("ztoc", "build", "layer.tar.gz", "--output", "layer.ztoc", "--json");
    assertThat(built.err()).isEmpty();
    assertThat(built.text())
        .startsWith("{\"digest\":\"sha256:")
        .endsWith("}\n")
        .contains("\"files\":2");
    assertThat(directory.resolve("layer.ztoc")).exists();
    assertThat(soci("ztoc", "verify", "layer.tar.gz", "layer.ztoc").text())
        .isEqualTo("ok: 1 spans and 2 files are those of the layer\n");
    Ended read = soci("ztoc", "get-file", "layer.ztoc", "b.bin", "--layer", "layer.tar.gz");
    assertThat(read.out()).isEqualTo(new byte[] {0, (byte) 0xff, '\n', 7});
  }

  @Test
  void aFailureIsOneLineAndAStatus() throws Exception {
    Ended ended = soci("ztoc", "build", "none.tar.gz");

    assertThat(ended.err()).isEqualTo("soci: cannot read layer none.tar.gz: no such file\n");
    assertThat(ended.out()).isEmpty();
    assertThat(ended.status()).isEqualTo(1);
    assertThat(List.of(soci("ztoc", "nothing").status(), soci("--nothing").status()))
        .containsExactly(2, 2);
  }
}
