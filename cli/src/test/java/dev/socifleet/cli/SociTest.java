package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.socifleet.cli.RunSoci.Ended;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
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
  void helpListsWhatThereIs() {
    assertThat(RunSoci.soci("--help").out()).isEqualTo(Soci.commandLine().getUsageMessage());
    assertThat(RunSoci.soci("-h").out()).contains("ztoc").contains("unmount, umount");
    assertThat(RunSoci.soci().out()).as("no command").isEqualTo(RunSoci.soci("-h").out());
  }

  @Test
  void helpIsACommandToo() {
    assertThat(RunSoci.soci("help")).isEqualTo(RunSoci.soci("--help"));
    assertThat(RunSoci.soci("help", "index", "create"))
        .isEqualTo(RunSoci.soci("index", "create", "--help"));
    assertThat(RunSoci.soci("h", "ztoc").out()).isEqualTo(RunSoci.soci("ztoc", "-h").out());
    assertWrong("soci: no command 'nothing'", "(see soci help --help)", "help", "nothing");
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

  private static Stream<CommandLine> commands(CommandLine command) {
    return Stream.concat(
        Stream.of(command), command.getSubcommands().values().stream().flatMap(SociTest::commands));
  }

  @Test
  void everyCommandIsDescribedByASentenceThatFitsTheListOfCommands() {
    assertThat(commands(Soci.commandLine()))
        .allSatisfy(command -> {
          String sentence = command.getCommandSpec().usageMessage().description()[0];
          assertThat(sentence).endsWith(".").hasSizeLessThan(120);
        });
  }

  /** An example that is cut in two can't be typed. */
  @Test
  void noLineOfAFooterIsWrapped() {
    assertThat(commands(Soci.commandLine()))
        .flatMap(command -> List.of(command.getCommandSpec().usageMessage().footer()))
        .allSatisfy(line -> assertThat(line).hasSizeLessThan(80));
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
    assertWrong(
        "soci: Invalid value for option '--platform' (OS/ARCH): ",
        "(see soci index list --help)",
        "index",
        "list",
        "--platform",
        "a/b/c/d");
  }

  /** What is wrong before a command runs is said by all commands; then it would run twice. */
  @Test
  void aCommandThatFindsItsArgumentsWrongRunsOnce() {
    AtomicInteger runs = new AtomicInteger();
    StringWriter err = new StringWriter();
    CommandLine soci = Soci.commandLine(List.of("ztoc")).setErr(new PrintWriter(err, true));
    Runnable check =
        () -> {
          runs.incrementAndGet();
          throw new CommandLine.ParameterException(soci, "they don't fit together");
        };
    soci.addSubcommand("check", new Checking(check));

    assertThat(soci.execute("check")).isEqualTo(2);
    assertThat(runs).hasValue(1);
    assertThat(err.toString()).isEqualTo("soci: they don't fit together (see soci --help)\n");
  }

  @CommandLine.Command
  private record Checking(Runnable check) implements Runnable {
    @Override
    public void run() {
      check.run();
    }
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

  @Test
  void onThePathItIsCalledByItsName(@TempDir Path directory) throws Exception {
    Path home = Files.createDirectory(directory.resolve("home"));
    Path bin = Files.createDirectory(directory.resolve("bin"));
    Path launcher = Files.createFile(home.resolve("soci"));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();

    assertThat(Launcher.isOnThePath(home, bin + ":/bin")).isFalse();
    Files.createSymbolicLink(bin.resolve("soci"), launcher);
    assertThat(Launcher.isOnThePath(home, "/bin:" + bin)).isTrue();
    assertThat(Launcher.isOnThePath(bin.resolve("other"), "/bin:" + bin)).isFalse();
  }
}
