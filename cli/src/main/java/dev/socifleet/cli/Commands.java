package dev.socifleet.cli;

import dev.socifleet.cli.artifacts.PrefetchCommand;
import dev.socifleet.cli.artifacts.RebuildCommand;
import dev.socifleet.cli.convert.ConvertCommand;
import dev.socifleet.cli.create.CreateCommand;
import dev.socifleet.cli.demo.DemoCommand;
import dev.socifleet.cli.index.IndexCommand;
import dev.socifleet.cli.inspect.DoctorCommand;
import dev.socifleet.cli.inspect.ExplainCommand;
import dev.socifleet.cli.inspect.VerifyCommand;
import dev.socifleet.cli.install.InstallCommand;
import dev.socifleet.cli.install.UninstallCommand;
import dev.socifleet.cli.mount.MountCommand;
import dev.socifleet.cli.mount.UnmountCommand;
import dev.socifleet.cli.push.PushCommand;
import dev.socifleet.cli.referrers.ReferrersCommand;
import dev.socifleet.cli.rpull.RpullCommand;
import dev.socifleet.cli.service.ServiceCommand;
import dev.socifleet.cli.up.UpCommand;
import dev.socifleet.cli.ztoc.ZtocCommand;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The commands of {@code soci}, in the order in which its help lists them.
 *
 * <p>Reading the flags of all of them takes longer than many a command, so only those are read
 * whose names stand among the arguments. A name that isn't meant as one (an option's value) costs
 * no more than time.
 */
enum Commands {
  DEMO("demo", DemoCommand.class),
  UP("up", UpCommand.class),
  SERVICE("service", ServiceCommand.class),
  CREATE("create", CreateCommand.class),
  CONVERT("convert", ConvertCommand.class),
  PUSH("push", PushCommand.class),
  INDEX("index", IndexCommand.class),
  REFERRERS("referrers", ReferrersCommand.class),
  VERIFY("verify", VerifyCommand.class),
  EXPLAIN("explain", ExplainCommand.class),
  DOCTOR("doctor", DoctorCommand.class),
  PREFETCH("prefetch", PrefetchCommand.class),
  REBUILD("rebuild-db", RebuildCommand.class),
  COMPLETION("completion", CompletionCommand.class),
  RPULL("rpull", RpullCommand.class),
  MOUNT("mount", MountCommand.class),
  UNMOUNT("unmount", UnmountCommand.class),
  ZTOC("ztoc", ZtocCommand.class),
  INSTALL("install", InstallCommand.class),
  UNINSTALL("uninstall", UninstallCommand.class),
  HELP("help", HelpCommand.class);

  private final String word;
  private final Class<?> type;

  Commands(String word, Class<?> type) {
    this.word = word;
    this.type = type;
  }

  /** Adds them as {@code soci --help} lists them: by name and description, not to be executed. */
  static void addForList(CommandLine soci) {
    for (Commands command : values()) {
      Command about = command.type.getAnnotation(Command.class);
      CommandSpec spec = CommandSpec.create().aliases(about.aliases());
      spec.usageMessage().description(about.description());
      soci.addSubcommand(command.word, spec);
    }
  }

  /** Adds those whose names are among the arguments; all where none is, and help must list them. */
  static void addNamed(CommandLine soci, List<String> arguments) {
    List<Commands> named =
        Arrays.stream(values()).filter(command -> arguments.contains(command.word)).toList();
    for (Commands command : named.isEmpty() ? List.of(values()) : named) {
      CommandLine added = new CommandLine(command.type);
      if (added.getCommand() instanceof CommandGroup group) {
        group.addNamed(added, arguments);
      }
      soci.addSubcommand(command.word, added);
    }
  }
}
