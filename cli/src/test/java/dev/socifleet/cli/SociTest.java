package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.cli.RunSoci.Ended;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;

/** What programs and people see of the command as a whole. */
class SociTest {
  @Test
  void theVersionIsAsNerdctlReadsIt() {
    for (String flag : List.of("--version", "-v")) {
      Ended ended = RunSoci.soci(flag);

      String[] words = ended.out().split(" ", -1);
      assertThat(words[0] + " " + words[1]).isEqualTo("soci version");
      assertThat(words[2]).matches("[1-9][0-9]*\\.[0-9]+\\.[0-9]+");
      assertThat(words).hasSizeGreaterThan(3);
      assertThat(ended.exit()).isZero();
    }
  }

  @TestFactory
  Stream<DynamicTest> everyCommandHasHelp() {
    return all(Soci.commandLine(), List.of())
        .map(path ->
            DynamicTest.dynamicTest(
                "soci " + String.join(" ", path),
                () -> {
                  Ended ended =
                      RunSoci.soci(
                          Stream.concat(path.stream(), Stream.of("--help")).toArray(String[]::new));
                  assertThat(ended.exit()).isZero();
                  assertThat(ended.out()).contains("Usage: soci");
                  assertThat(ended.err()).isEmpty();
                }));
  }

  private static Stream<List<String>> all(CommandLine command, List<String> path) {
    return Stream.concat(
        Stream.of(path),
        command.getSubcommands().entrySet().stream()
            .flatMap(sub ->
                all(
                    sub.getValue(),
                    Stream.concat(path.stream(), Stream.of(sub.getKey())).toList())));
  }

  @Test
  void wrongUsageIsOneLineThatSaysWhereToLook() {
    Ended ended = RunSoci.soci("convert", "--nonsense", "a", "b");

    assertThat(ended.exit()).isEqualTo(2);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.failure()).contains("--nonsense").endsWith("see soci convert --help");
    assertThat(ended.err()).hasLineCount(1);
  }

  @Test
  void completionKnowsTheCommands() {
    Ended ended = RunSoci.soci("completion", "bash");

    assertThat(ended.exit()).isZero();
    assertThat(ended.out())
        .contains("complete -F")
        .contains("rebuild-db")
        .contains("--min-layer-size");
  }
}
