package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class SociTest {
  private static Stream<CommandLine> commands(CommandLine command) {
    return Stream.concat(
        Stream.of(command), command.getSubcommands().values().stream().flatMap(SociTest::commands));
  }

  @Test
  void everyCommandTellsTheVersion() {
    assertThat(commands(Soci.commandLine()))
        .allSatisfy(command ->
            assertThat(command.getCommandSpec().version())
                .containsExactly("soci version " + Soci.VERSION));
  }

  @Test
  void everyCommandIsDescribedByASentenceThatFitsTheListOfCommands() {
    assertThat(commands(Soci.commandLine()))
        .allSatisfy(command -> {
          String sentence = command.getCommandSpec().usageMessage().description()[0];
          assertThat(sentence).endsWith(".").hasSizeLessThan(120);
        });
  }

  @Test
  void settingsOfAServiceAreNotTheCommandsOwn() {
    assertThatCode(() ->
            Soci.commandLine()
                .parseArgs("service", "ingest", "--config", "ingest.toml", "--log.json=true"))
        .doesNotThrowAnyException();
  }

  @Test
  void wrongUsageIsOneLineAndStatusTwo() {
    assertWrong("soci: no command 'nothing'", "(see soci --help)", "nothing");
    assertWrong("soci: Unknown option: '--nothing'", "(see soci up --help)", "up", "--nothing");
    assertWrong(
        "soci: no service 'nothing'; there are fetch-cache, indexer, ingest, pusher,",
        "(see soci service --help)",
        "service",
        "nothing");
  }

  private static void assertWrong(String begin, String end, String... arguments) {
    RunSoci.Ended ended = RunSoci.soci(arguments);
    assertThat(ended.err()).startsWith(begin).endsWith(end + "\n").hasLineCount(1);
    assertThat(ended.exit()).isEqualTo(2);
  }

  @Test
  void theCommandIsNamedSoThatItCanBeTyped() {
    Path home = Path.of("/opt/soci-fleet");
    assertThat(Launcher.command(home, home)).isEqualTo("./soci");
    assertThat(Launcher.command(home, Path.of("/root"))).isEqualTo("/opt/soci-fleet/soci");
    assertThat(Launcher.command(Path.of("/opt/it's here"), Path.of("/root")))
        .isEqualTo("'/opt/it'\\''s here/soci'");
  }
}
