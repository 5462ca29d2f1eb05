package dev.socifleet.cli;

import dev.socifleet.cli.demo.DemoCommand;
import dev.socifleet.cli.mount.MountCommand;
import dev.socifleet.cli.mount.UnmountCommand;
import dev.socifleet.cli.rpull.RpullCommand;
import dev.socifleet.cli.up.UpCommand;
import dev.socifleet.cli.ztoc.ZtocCommand;
import dev.socifleet.service.Logging;
import dev.socifleet.service.Settings;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The {@code soci} command. Results on stdout, everything else on stderr; a failure is one line.
 */
@Command(
    name = "soci",
    description = "Container images that start before they are downloaded.",
    mixinStandardHelpOptions = true,
    versionProvider = Soci.Version.class,
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      RpullCommand.class,
      MountCommand.class,
      UnmountCommand.class,
      ZtocCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed; the reason is the last line on stderr",
      "2:wrong usage or configuration"
    },
    footer = {
      "",
      "First steps:",
      "  soci demo    the whole path on this machine, shown and measured",
      "  soci up      everything on this machine, to stay"
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

  @Option(names = "--debug", description = "Log what happens, and print a failure's stack trace.")
  private boolean debug;

  @Mixin private ContainerdOptions containerd = new ContainerdOptions();

  private Soci() {}

  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("--version")) {
      // Programs ask for it before each of their commands: it isn't worth reading all commands.
      System.out.println(version());
      return;
    }
    System.exit(run(args));
  }

  private static String version() {
    return "soci version " + VERSION;
  }

  /** Runs a command line and gives its exit code. */
  public static int run(String... args) {
    Soci soci = new Soci();
    return new CommandLine(soci)
        .setExecutionStrategy(soci::execute)
        .setExecutionExceptionHandler(soci::fail)
        .execute(args);
  }

  /** Which containerd is meant, as far as it was said before the command's name. */
  public ContainerdOptions containerd() {
    return containerd;
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }

  private int execute(CommandLine.ParseResult parsed) {
    Logging.configure(Settings.of(Map.of("log.level", debug ? "debug" : quietLevel(parsed))));
    return new CommandLine.RunLast().execute(parsed);
  }

  /** What a command logs: one that runs until it is ended tells what it does. */
  private static String quietLevel(CommandLine.ParseResult parsed) {
    boolean up =
        parsed.hasSubcommand()
            && parsed.subcommand().commandSpec().userObject() instanceof UpCommand;
    return up ? "info" : "error";
  }

  private int fail(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    if (e instanceof InterruptedException) {
      return 130; // a signal ended it, and decides the status
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    System.err.println("soci: " + message.lines().findFirst().orElse(message));
    if (debug) {
      e.printStackTrace();
    }
    return e instanceof CommandFailure failure ? failure.exitCode() : 1;
  }
}
