package dev.socifleet.cli.up;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Machine;
import dev.socifleet.service.FleetToken;
import dev.socifleet.service.Logging;
import dev.socifleet.service.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code soci up}: runs until it is told to end. */
@Command(
    name = "up",
    mixinStandardHelpOptions = true,
    description = {
      "Index what is pushed to a registry: ingest, indexer, pusher and an embedded Kafka broker in one process.",
      "The registry's notifications have to be sent to the address that it prints."
    },
    footer = {"", "Example:", "  soci up --registry localhost:5000 --state ./soci-state"})
public final class UpCommand implements Callable<Integer> {
  @Option(
      names = "--registry",
      required = true,
      paramLabel = "HOST",
      description = "The registry's name in references, e.g. registry.example or localhost:5000.")
  private String registry = "";

  @Option(
      names = "--registry-url",
      defaultValue = "",
      paramLabel = "URL",
      description = "Where its API is, if not at that name.")
  private String registryUrl = "";

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = "Directory of all state (default: ~/.local/state/soci-fleet).")
  private Path state = Path.of(System.getProperty("user.home"), ".local", "state", "soci-fleet");

  @Option(
      names = "--webhook-port",
      defaultValue = "7700",
      description = "Port for the registry's notifications (${DEFAULT-VALUE}).")
  private int webhookPort;

  @Option(
      names = "--kafka-port",
      defaultValue = "7704",
      description = "Port of the embedded broker (${DEFAULT-VALUE}).")
  private int kafkaPort;

  @Option(
      names = "--min-layer-size",
      defaultValue = "10485760",
      paramLabel = "BYTES",
      description = "Smaller layers get no zTOC (${DEFAULT-VALUE}).")
  private long minLayerSize;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Machine.needPort(webhookPort, "the registry's notifications", "--webhook-port");
    Machine.needPort(kafkaPort, "the embedded Kafka broker", "--kafka-port");
    Logging.configure(Settings.of(Map.of()));
    FleetToken token;
    try {
      java.nio.file.Files.createDirectories(state);
      token = FleetToken.readOrCreate(state.resolve("fleet-token"));
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot keep state in "
              + state
              + ": "
              + e.getMessage()
              + "; choose another with --state");
    }
    CountDownLatch end = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Stack stack =
        Stack.start(
            new Stack.Plan(
                state,
                registry,
                registryUrl,
                token.authorization(),
                webhookPort,
                kafkaPort,
                minLayerSize));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> {
              end.countDown();
              try {
                closed.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }));
    System.out.println(
        "Indexing what is pushed to " + registry + "; Ctrl-C ends it. Its notifications go to");
    System.out.println("  " + stack.webhook());
    System.out.println(
        "with the header Authorization that stands, after \"Bearer \", in "
            + state.resolve("fleet-token")
            + ".");
    System.out.flush();
    try (stack) {
      end.await();
    }
    closed.countDown();
    return 0;
  }
}
