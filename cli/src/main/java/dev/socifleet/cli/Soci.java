package dev.socifleet.cli;

import dev.socifleet.cli.remote.RegistryAdvice;
import dev.socifleet.cli.store.StoreOptions;
import dev.socifleet.cli.up.UpCommand;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.service.Logging;
import dev.socifleet.service.Settings;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The {@code soci} command. Results on stdout, everything else on stderr; a failure is one line.
 */
@Command(
    name = "soci",
    description = "Container images that start before they are downloaded.",
    versionProvider = Soci.Version.class,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed; the reason is the last line on stderr",
      "2:wrong usage or configuration",
      "130:ended by a signal"
    },
    footer = {
      "",
      "First steps:",
      "  soci demo                            the whole path here, measured",
      "  soci up                              everything on this machine, to stay",
      "  soci doctor                          what this machine lacks",
      "  soci index create REGISTRY/APP:TAG   an index for an image, at its registry",
      "  soci explain REGISTRY/APP:TAG        which layers will be lazy"
    })
public final class Soci implements Runnable {
  /** nerdctl reads this line, and refuses to convert with a version below 0.10.0. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {version()};
    }
  }

  /** The product's version. */
  public static final String VERSION = "1.0.0";

  static final String HELP = "--help";

  @Option(
      names = {"-h", HELP},
      usageHelp = true,
      description = "Show this help and exit.")
  @SuppressWarnings("UnusedVariable") // picocli looks at it
  private boolean help;

  @Option(
      names = {"-v", "-V", "--version"},
      versionHelp = true,
      description = "Print version information and exit.")
  @SuppressWarnings("UnusedVariable")
  private boolean version;

  @Option(names = "--debug", description = "Log what happens, and print a failure's stack trace.")
  private boolean debug;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ContainerdOptions containerd = new ContainerdOptions();
  @Mixin private StoreOptions stores = new StoreOptions();

  private Soci() {}

  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("--version")) {
      // Programs ask for it before each of their commands: it isn't worth reading all commands.
      System.out.println(version());
      return;
    }
    int status = run(args);
    if (status != 0 || othersRun()) {
      System.exit(status);
    }
    // Else it ends by itself, without opening all jars: System.exit looks for a logger to tell.
  }

  /** Whether threads run that would keep the process alive. */
  private static boolean othersRun() {
    Thread[] threads = new Thread[Thread.activeCount() + 16];
    int count = Thread.enumerate(threads);
    return count == threads.length
        || Arrays.stream(threads, 0, count)
            .anyMatch(thread -> !thread.isDaemon() && thread != Thread.currentThread());
  }

  /** nerdctl takes the third word of this; without a fourth it would take the line's end too. */
  private static String version() {
    return "soci version " + VERSION + " soci-fleet";
  }

  /** Runs a command line and gives its exit code. */
  public static int run(String... args) {
    return commandLine(args.length == 0 ? List.of(HELP) : List.of(args)).execute(args);
  }

  /** The whole command, to be executed once. */
  public static CommandLine commandLine() {
    return commandLine(List.of());
  }

  /** The command with what these arguments name of its commands, to be executed once. */
  static CommandLine commandLine(List<String> arguments) {
    Soci soci = new Soci();
    CommandLine command = new CommandLine(soci);
    if (!arguments.isEmpty() && List.of(HELP, "-h").containsAll(arguments)) {
      Commands.addForList(command);
    } else {
      Commands.addNamed(command, arguments);
    }
    tellVersion(command);
    return command
        .setExecutionStrategy(soci::execute)
        .setExecutionExceptionHandler(soci::fail)
        .setParameterExceptionHandler(
            (e, args) -> arguments.isEmpty() ? refuse(e) : parseByAll(e.getCommandLine(), args));
  }

  /** What is wrong can depend on commands that weren't read. */
  private static int parseByAll(CommandLine command, String... args) {
    return commandLine().setOut(command.getOut()).setErr(command.getErr()).execute(args);
  }

  /** Commands of commands have {@code --version}, too. */
  private static void tellVersion(CommandLine command) {
    command.getCommandSpec().versionProvider(new Version());
    command.getSubcommands().values().forEach(Soci::tellVersion);
  }

  /** Which containerd is meant, as far as it was said before the command's name. */
  public ContainerdOptions containerd() {
    return containerd;
  }

  /** Which stores are meant, as far as it was said before the command's name. */
  public StoreOptions stores() {
    return stores;
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private int execute(CommandLine.ParseResult parsed) {
    Integer helped = CommandLine.executeHelpRequest(parsed);
    if (helped != null) {
      return helped; // before what only a command needs is read
    }
    Logging.configure(Settings.of(Map.of("log.level", debug ? "debug" : quietLevel(parsed))));
    try {
      return new CommandLine.RunLast().execute(parsed);
    } catch (CommandLine.ParameterException e) {
      return refuse(e); // found by the command itself: not for want of others, so not parsed again
    }
  }

  /** What a command logs: one that runs until it is ended tells what it does. */
  private static String quietLevel(CommandLine.ParseResult parsed) {
    boolean up =
        parsed.hasSubcommand()
            && parsed.subcommand().commandSpec().userObject() instanceof UpCommand;
    return up ? "info" : "error";
  }

  /** Wrong usage, in one line; the whole help would push it out of sight. */
  private static int refuse(CommandLine.ParameterException e) {
    CommandLine command = e.getCommandLine();
    List<String> similar =
        e instanceof CommandLine.UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    command
        .getErr()
        .println(
            "soci: "
                + wrong(e)
                + (similar.isEmpty() ? "" : ": did you mean " + String.join(" or ", similar) + "?")
                + " (see "
                + command.getCommandSpec().qualifiedName()
                + " --help)");
    return 2;
  }

  private static String wrong(CommandLine.ParameterException e) {
    boolean command =
        e instanceof CommandLine.UnmatchedArgumentException unmatched
            && !e.getCommandLine().getSubcommands().isEmpty()
            && !unmatched.getUnmatched().getFirst().startsWith("-");
    return command
        ? "no command '"
            + ((CommandLine.UnmatchedArgumentException) e).getUnmatched().getFirst()
            + "'"
        : firstLine(e);
  }

  private int fail(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    if (e instanceof InterruptedException) {
      return 130; // a signal ended it, and decides the status
    }
    command.getErr().println("soci: " + firstLine(e) + advice(e));
    if (debug) {
      e.printStackTrace(command.getErr());
    }
    return e instanceof CommandFailure failure ? failure.exitCode() : 1;
  }

  private static String advice(Exception e) {
    if (e instanceof RegistryException registry) {
      return RegistryAdvice.on(registry);
    }
    return NoSpace.isReasonOf(e) ? "; make room there, and run it again" : "";
  }

  private static String firstLine(Exception e) {
    if (e instanceof NoSuchFileException || e instanceof AccessDeniedException) {
      // the JDK's messages are the file's name alone
      return e.getMessage()
          + ": "
          + (e instanceof NoSuchFileException ? "no such file" : "permission denied");
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse(message);
  }
}
