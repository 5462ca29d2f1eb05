package dev.socifleet.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that only has commands, such as {@code soci ztoc}; alone it shows its help. */
public abstract class CommandGroup implements Runnable {
  /**
   * One of its commands.
   *
   * @param word its name
   * @param type the annotated class
   */
  public record Part(String word, Class<?> type) {}

  private final List<Part> parts;
  @Spec private CommandSpec spec = CommandSpec.create();

  protected CommandGroup(Part... parts) {
    this.parts = List.of(parts);
  }

  /** Adds those whose names are among the arguments; all where none is, and help must list them. */
  final void addNamed(CommandLine group, List<String> arguments) {
    List<Part> named = parts.stream().filter(part -> arguments.contains(part.word)).toList();
    (named.isEmpty() ? parts : named).forEach(part -> group.addSubcommand(part.word, part.type));
  }

  @Override
  public final void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
