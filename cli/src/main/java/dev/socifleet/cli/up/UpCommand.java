package dev.socifleet.cli.up;

import dev.socifleet.cli.Lifetime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code soci up}: runs until it is told to end. */
@Command(
    name = "up",
    mixinStandardHelpOptions = true,
    description = {
      "Run everything on this machine, until Ctrl-C.",
      "An embedded Kafka broker, ingest, indexer, pusher, fetch-cache and, where none is given, a small registry run"
          + " in one process, the snapshotter node in another. It prints what runs where and what to do next."
    },
    footer = {
      "",
      "Examples:",
      "  soci up                                      everything, as root",
      "  soci up --registry localhost:5000 --no-node  indexing alone, without root"
    })
public final class UpCommand implements Callable<Integer> {
  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "Directory of all state (default: ~/.local/state/soci-fleet).")
  private Path state = Path.of(System.getProperty("user.home"), ".local", "state", "soci-fleet");

  @Option(
      names = "--no-node",
      description = "Without the node, which needs root: index and cache only.")
  private boolean noNode;

  @Option(
      names = "--socket",
      paramLabel = "FILE",
      defaultValue = "/run/soci-snapshotter-grpc/soci-snapshotter-grpc.sock",
      description = "Where the node serves containerd (${DEFAULT-VALUE}).")
  private Path socket = Path.of("");

  @Mixin private StackOptions options = new StackOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    StackPlan plan = options.plan(state, noNode ? Optional.empty() : Optional.of(socket));
    plan.needMachine();
    try (Lifetime life = Lifetime.begin()) {
      Stack stack = Stack.start(plan, life);
      Overview.of(stack).forEach(System.out::println);
      System.out.flush();
      life.awaitSignal();
    }
    return 0;
  }
}
