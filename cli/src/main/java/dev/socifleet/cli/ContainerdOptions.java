package dev.socifleet.cli;

import dev.socifleet.containerd.ContainerdChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Which containerd a command talks to. As the existing tool has them before the command's name, and
 * people write them after it, they are taken in both places; the one after the name counts.
 */
public final class ContainerdOptions {
  @Option(
      names = {"-a", "--address"},
      paramLabel = "SOCKET",
      description = "containerd's socket ($CONTAINERD_ADDRESS, /run/containerd/containerd.sock).")
  private @Nullable String address;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "containerd's namespace ($CONTAINERD_NAMESPACE, default).")
  private @Nullable String namespace;

  @Mixin private TimeLimit limit = new TimeLimit();

  /**
   * What the options and the environment say together.
   *
   * @param timeout zero for none
   */
  public record Containerd(Path socket, String namespace, Duration timeout) {
    /**
     * Connects; where that can't be done, the failure says what to check.
     *
     * @throws CommandFailure when nothing listens there
     */
    public ContainerdChannel open() {
      try {
        return ContainerdChannel.open(socket);
      } catch (IOException e) {
        String why =
            String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
        throw new CommandFailure(
            "cannot connect to containerd at "
                + socket
                + ": "
                + why
                + ("Permission denied".equals(why)
                    ? "; run as root"
                    : "; start containerd, or name its socket with --address"));
      }
    }
  }

  /** These options, then those given before the command's name, then the environment. */
  public Containerd resolve(ContainerdOptions global, Map<String, String> environment) {
    String socket =
        first(
            address,
            global.address,
            environment.get("CONTAINERD_ADDRESS"),
            ContainerdChannel.STANDARD_SOCKET.toString());
    return new Containerd(
        Path.of(socket.startsWith("unix://") ? socket.substring("unix://".length()) : socket),
        first(namespace, global.namespace, environment.get("CONTAINERD_NAMESPACE"), "default"),
        timeout(global));
  }

  /** How long the command may take; zero for no limit. Asks nothing else. */
  public Duration timeout(ContainerdOptions global) {
    return limit.or(global.limit).duration();
  }

  private static String first(@Nullable String... values) {
    for (String value : values) {
      if (value != null && !value.isEmpty()) {
        return value;
      }
    }
    return "";
  }
}
