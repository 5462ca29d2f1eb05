package dev.socifleet.cli.up;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Machine;
import dev.socifleet.oci.RegistryHost;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a stack consists of.
 *
 * @param state the directory of all state, absolute
 * @param registry the registry that is there already; empty for one in process
 * @param minLayerSize bytes; smaller layers get no zTOC
 * @param nodeSocket where the node serves containerd; empty for no node
 */
public record StackPlan(
    Path state,
    Optional<RegistryHost> registry,
    Ports ports,
    long minLayerSize,
    Optional<Path> nodeSocket) {
  /** All that needs no root, on free ports: for a try in a directory that is thrown away. */
  public static StackPlan trial(Path state) {
    return new StackPlan(
        state.toAbsolutePath(), Optional.empty(), new Ports(0, 0, 0, 0, 0), 1, Optional.empty());
  }

  /**
   * Checks what the machine has to have; to be called before the start.
   *
   * @throws CommandFailure in one line that says what to do
   */
  public void needMachine() {
    boolean node = nodeSocket.isPresent();
    if (node) {
      Machine.needRoot("the node");
      Machine.needFuse();
    }
    ports.needFree(registry.isEmpty(), node);
  }

  /** A file of the state directory. */
  Path in(String name) {
    return state.resolve(name);
  }

  Path tokenFile() {
    return in("fleet-token");
  }

  /** Where the node takes commands. */
  Path nodeControl() {
    return nodeRoot().resolve("control.sock");
  }

  /** What the node says. */
  Path nodeLog() {
    return in("node.log");
  }

  /** The node's own directory: its mount, its store. */
  Path nodeRoot() {
    return in("node");
  }
}
