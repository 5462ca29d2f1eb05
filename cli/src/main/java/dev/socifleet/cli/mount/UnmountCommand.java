package dev.socifleet.cli.mount;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Machine;
import dev.socifleet.node.control.ControlClient;
import dev.socifleet.node.control.ControlClient.ControlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code soci unmount}: ends a mount of {@code soci mount} and lets the node drop its layers. */
@Command(
    name = "unmount",
    aliases = "umount",
    mixinStandardHelpOptions = true,
    description = "Unmount what soci mount has mounted, and let the node drop its layers.")
public final class UnmountCommand implements Callable<Integer> {
  private static final int NOT_FOUND = 404;

  @Parameters(paramLabel = "DIR", description = "Where it is mounted.")
  private Path directory = Path.of("");

  @Option(
      names = {"-l", "--lazy"},
      description = "Also if it is in use: it vanishes now, and ends with its last user.")
  private boolean lazily;

  @Option(
      names = "--node",
      paramLabel = "SOCKET",
      defaultValue = "/var/lib/soci-snapshotter-grpc/control.sock",
      description = "The node's control socket (${DEFAULT-VALUE}).")
  private Path node = Path.of("");

  @Override
  public Integer call() throws IOException, InterruptedException {
    Machine.needRoot("soci unmount");
    Path target = resolved();
    String id =
        OverlayMount.idAt(target)
            .orElseThrow(
                () -> new CommandFailure("no image is mounted at " + target + " by soci mount"));
    OverlayMount.unmount(target, lazily);
    try {
      new ControlClient(node).release(id);
    } catch (ControlException e) {
      if (e.status() != NOT_FOUND) {
        throw notTold(target, e);
      }
    } catch (IOException e) {
      throw notTold(target, e);
    }
    return 0;
  }

  private static CommandFailure notTold(Path target, IOException e) {
    return new CommandFailure(
        target
            + " is unmounted, but its node can't be told and keeps the layers: "
            + e.getMessage());
  }

  /** Without touching the mount itself, which may be dead: its parent is resolved. */
  private Path resolved() throws IOException {
    if (Files.isSymbolicLink(directory)) {
      return directory.toRealPath();
    }
    Path absolute = directory.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    if (parent == null) {
      return absolute;
    }
    if (Files.notExists(parent)) {
      throw new CommandFailure("there is no " + directory);
    }
    return parent.toRealPath().resolve(absolute.getFileName());
  }
}
