package dev.socifleet.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.socifleet.cli.mount.MountCommand;
import dev.socifleet.cli.mount.UnmountCommand;
import dev.socifleet.cli.up.UpCommand;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The {@code soci} command. Results on stdout, everything else on stderr; a failure is one line.
 */
@Command(
    name = "soci",
    description = "Container images that start before they are downloaded.",
    mixinStandardHelpOptions = true,
    versionProvider = Soci.Version.class,
    subcommands = {UpCommand.class, MountCommand.class, UnmountCommand.class},
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed; the reason is the last line on stderr",
      "2:wrong usage or configuration"
    },
    footer = {"", "First step:", "  soci up --registry HOST    index what is pushed to a registry"})
public final class Soci implements Runnable {
  /** nerdctl reads this line, and refuses to convert with a version below 0.10.0. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"soci version " + VERSION};
    }
  }

  /** The product's version. */
  public static final String VERSION = "1.0.0";

  @Option(names = "--debug", description = "Log what happens, and print a failure's stack trace.")
  private boolean debug;

  private Soci() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs a command line and gives its exit code. */
  public static int run(String... args) {
    Soci soci = new Soci();
    return new CommandLine(soci)
        .setExecutionStrategy(soci::execute)
        .setExecutionExceptionHandler(soci::fail)
        .execute(args);
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }

  private int execute(CommandLine.ParseResult parsed) {
    if (LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME) instanceof Logger root) {
      root.setLevel(debug ? Level.DEBUG : Level.ERROR);
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  private int fail(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    System.err.println("soci: " + message.lines().findFirst().orElse(message));
    if (debug) {
      e.printStackTrace();
    }
    return e instanceof CommandFailure failure ? failure.exitCode() : 1;
  }
}
