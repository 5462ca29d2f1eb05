package dev.socifleet.cli.ztoc;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code soci ztoc}: the group. */
@Command(
    name = "ztoc",
    mixinStandardHelpOptions = true,
    description = "Build, check and read zTOCs: the indexes of layers.",
    subcommands = {
      BuildCommand.class,
      VerifyCommand.class,
      InfoCommand.class,
      ListCommand.class,
      GetFileCommand.class
    },
    footer = {
      "",
      "Example:",
      "  soci ztoc build layer.tar.gz --output layer.ztoc",
      "  soci ztoc verify layer.tar.gz layer.ztoc",
      "  soci ztoc get-file layer.ztoc etc/passwd --layer layer.tar.gz"
    })
public final class ZtocCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    CommandLine command = spec.commandLine();
    command.usage(command.getOut());
  }
}
