package dev.socifleet.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code soci completion}: what a shell needs to complete commands and options. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Print a script by which bash or zsh completes soci's commands and options.",
    footer = {
      "",
      "Examples:",
      "  source <(soci completion bash)",
      "  soci completion bash > /etc/bash_completion.d/soci",
      "  soci completion zsh >> ~/.zshrc"
    })
final class CompletionCommand implements Callable<Integer> {
  /** The shells whose script there is. */
  enum Shell {
    bash,
    zsh
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  @SuppressWarnings("UnusedVariable") // one script does for both
  private Shell shell = Shell.bash;

  @Override
  public Integer call() {
    // The script turns bash's completion on in zsh by itself.
    String script = AutoComplete.bash("soci", Soci.commandLine());
    spec.commandLine().getOut().print(script);
    spec.commandLine().getOut().flush();
    return 0;
  }
}
