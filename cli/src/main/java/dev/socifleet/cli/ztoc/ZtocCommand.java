package dev.socifleet.cli.ztoc;

import dev.socifleet.cli.CommandGroup;
import picocli.CommandLine.Command;

/** {@code soci ztoc}: the group. */
@Command(
    name = "ztoc",
    mixinStandardHelpOptions = true,
    description = "Build, check and read zTOCs: the indexes of layers.",
    footer = {
      "",
      "Example:",
      "  soci ztoc build layer.tar.gz --output layer.ztoc",
      "  soci ztoc verify layer.tar.gz layer.ztoc",
      "  soci ztoc get-file layer.ztoc etc/passwd --layer layer.tar.gz"
    })
public final class ZtocCommand extends CommandGroup {
  ZtocCommand() {
    super(
        new Part("build", BuildCommand.class),
        new Part("verify", VerifyCommand.class),
        new Part("info", InfoCommand.class),
        new Part("list", ListCommand.class),
        new Part("get-file", GetFileCommand.class));
  }
}
