package dev.socifleet.ztoc.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Jazzer on each target, in a process of its own: a few seconds each, or as long as {@code
 * -Dfuzz.seconds=N} says. It starts from {@code src/test/resources/fuzz} and goes on from what it
 * found in earlier runs, in {@code target/fuzz}; an input that fails is left there, under {@code
 * found}.
 */
class FuzzIT {
  private static final int SECONDS = Integer.getInteger("fuzz.seconds", 3);

  /** A run of nobody's asking tries the same inputs everywhere; a longer one new ones (0). */
  private static final int SEED = System.getProperty("fuzz.seconds") == null ? 1 : 0;

  /** For a child that doesn't end by itself: instrumenting takes its time, too. */
  private static final int PATIENCE_SECONDS = 600;

  private static final int HANG_SECONDS = 120;
  private static final Pattern RUNS = Pattern.compile("number_of_executed_units: (\\d+)");

  @ParameterizedTest
  @Timeout(value = 7, unit = TimeUnit.DAYS)
  @CsvSource({
    "inflate, InflateTarget, 2500",
    "gzip, GzipTarget, 2500",
    "tar, TarTarget, 6200",
    "ztoc, ZtocTarget, 4000",
    "layer, LayerTarget, 6200",
  })
  void noInputFails(String corpus, String target, int longest) throws Exception {
    Path folder = Path.of("target/fuzz", corpus);
    Path found = Files.createDirectories(folder.resolve("found"));
    Path log = folder.resolve("log");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-XX:+EnableDynamicAgentLoading",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + FuzzIT.class.getPackageName() + "." + target,
            "--instrumentation_includes=dev.socifleet.**",
            "--trace=cov:cmp:gep:div",
            "--reproducer_path=" + found,
            "-artifact_prefix=" + found + "/",
            "-seed=" + SEED,
            "-max_total_time=" + SECONDS,
            "-max_len=" + longest,
            "-timeout=" + HANG_SECONDS,
            "-rss_limit_mb=3000",
            "-print_final_stats=1",
            Files.createDirectories(folder.resolve("corpus")).toString(),
            Path.of("src/test/resources/fuzz", corpus).toString());
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(SECONDS + PATIENCE_SECONDS, TimeUnit.SECONDS))
          .as("the fuzzer of %s ends in time, see %s", corpus, log.toAbsolutePath())
          .isTrue();
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(log, StandardCharsets.ISO_8859_1);
    assertThat(process.exitValue()).as("%s", failure(corpus, text, log)).isZero();
    Matcher runs = RUNS.matcher(text);
    assertThat(runs.find()).as("inputs are counted in %s", log).isTrue();
    System.out.println("fuzzed " + corpus + ": " + runs.group(1) + " inputs in " + SECONDS + " s");
  }

  private static String failure(String corpus, String text, Path log) throws IOException {
    int from = Math.max(0, text.indexOf("== Java Exception"));
    String what = text.substring(from, Math.min(text.length(), from + 2000));
    return "an input of " + corpus + " fails; see " + log.toAbsolutePath() + "\n" + what;
  }
}
