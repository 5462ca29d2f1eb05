package dev.socifleet.cli.install;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Machine;
import dev.socifleet.cli.Soci;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code soci install}: so that {@code soci} is a command in every directory. */
@Command(
    name = "install",
    mixinStandardHelpOptions = true,
    description = {
      "Put soci on the PATH, with its completion for bash and a page for man.",
      "The command is a link to this checkout, which stays where it is: git pull updates it. --copy "
          + "copies the jars instead (160 MB), which other users need if they can't read the checkout."
    },
    footer = {
      "",
      "Examples:",
      "  ./soci install                     for everybody, as root; else in ~/.local",
      "  ./soci install --copy --prefix /opt/soci",
      "  ./soci install --force             where another soci is, which is kept, too"
    })
public final class InstallCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--prefix",
      paramLabel = "DIR",
      description = "Where bin, share and lib are (/usr/local for root, else ~/.local).")
  private @Nullable Path prefix;

  @Option(names = "--copy", description = "Copy the jars to PREFIX/lib/soci-fleet.")
  private boolean copy;

  @Option(
      names = "--force",
      description = "Take the place of another program named soci; it is kept as soci.displaced.")
  private boolean force;

  static Installation at(@Nullable Path prefix) {
    return prefix == null
        ? Installation.standard()
        : new Installation(prefix.toAbsolutePath().normalize());
  }

  @Override
  public Integer call() throws Exception {
    Path home = home();
    Installation place = at(prefix);
    place.checkProgram(force);
    PrintWriter out = spec.commandLine().getOut();
    Path launched = copy ? place.copyOf(home) : home;
    Path launcher = launched.resolve("soci");
    place
        .install(
            launcher,
            "# soci-fleet\n" + AutoComplete.bash("soci", Soci.commandLine()),
            ManPage.of(Soci.commandLine(), Soci.VERSION))
        .forEach(file -> out.println("installed " + file));
    out.println("soci is " + launcher);
    out.flush();
    if (copy) {
      prepare(launcher);
    }
    warn(place, launched);
    return 0;
  }

  private static Path home() {
    String home = System.getProperty("soci.home", "");
    if (home.isEmpty()) {
      throw new CommandFailure("only a checkout's ./soci can install itself");
    }
    return Path.of(home);
  }

  /** Its first start makes what later starts are fast by; only who may write there can do so. */
  private static void prepare(Path launcher) throws IOException, InterruptedException {
    new ProcessBuilder(launcher.toString(), "--help")
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
        .waitFor();
  }

  private void warn(Installation place, Path launched) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    Path bin = place.programs();
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    if (!List.of(path.split(File.pathSeparator, -1)).contains(bin.toString())) {
      err.println("soci: warning: " + bin + " isn't on the PATH: export PATH=" + bin + ":$PATH");
    }
    Optional<Path> closed = Machine.isRoot() ? Installation.closed(launched) : Optional.empty();
    closed.ifPresent(directory ->
        err.println(
            "soci: warning: other users can't run it, for "
                + directory
                + " is closed to them; soci install --copy makes it independent of that"));
    err.flush();
  }
}
