package dev.socifleet.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci help}: as the existing tool has it, what {@code --help} shows. */
@Command(
    name = "help",
    aliases = "h",
    mixinStandardHelpOptions = true,
    description = "Show the help of soci, or of one of its commands.",
    footer = {"", "Example:", "  soci help index create"})
final class HelpCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(arity = "0..*", paramLabel = "COMMAND", description = "The command.")
  private List<String> words = new ArrayList<>();

  @Override
  public void run() {
    CommandLine command = Soci.commandLine(words.isEmpty() ? List.of(Soci.HELP) : words);
    for (String word : words) {
      command = command.getSubcommands().get(word);
      if (command == null) {
        throw new ParameterException(spec.commandLine(), "no command '" + word + "'");
      }
    }
    command.usage(spec.commandLine().getOut());
  }
}
