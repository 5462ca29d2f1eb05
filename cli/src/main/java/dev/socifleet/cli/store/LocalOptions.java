package dev.socifleet.cli.store;

import dev.socifleet.cli.ContainerdOptions;
import dev.socifleet.cli.Soci;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Which containerd and which stores a command works on. */
public final class LocalOptions {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Mixin private ContainerdOptions containerd = new ContainerdOptions();
  @Mixin private StoreOptions stores = new StoreOptions();

  /**
   * Opens what these options say, then those before the command's name, then the environment.
   *
   * @param soci the command's parent, which has the latter
   */
  public LocalStores open(@Nullable Soci soci) {
    return stores.open(
        soci == null ? new StoreOptions() : soci.stores(),
        containerd.resolve(
            soci == null ? new ContainerdOptions() : soci.containerd(), System.getenv()),
        this::say);
  }

  /** A line on the standard error. */
  private void say(String notice) {
    if (command != null) {
      command.commandLine().getErr().println(notice);
    }
  }

  /** The same, of a command that may be deep below soci. */
  public LocalStores open(CommandSpec command) {
    return open(command.root().userObject() instanceof Soci soci ? soci : null);
  }

  /** How long the command may take; zero for no limit. */
  public Duration timeout(@Nullable Soci soci) {
    return containerd.timeout(soci == null ? new ContainerdOptions() : soci.containerd());
  }
}
