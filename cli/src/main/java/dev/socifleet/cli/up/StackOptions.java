package dev.socifleet.cli.up;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.RegistryHost;
import dev.socifleet.oci.RepositoryName;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of the commands that run the stack. */
public final class StackOptions {
  @Option(
      names = "--registry",
      paramLabel = "HOST",
      description =
          "Index what is pushed to this registry, e.g. registry.example or localhost:5000; without it a small one in process.")
  private @Nullable String registry;

  @Option(
      names = "--registry-url",
      defaultValue = "",
      paramLabel = "URL",
      description = "Where its API is, if not at that name.")
  private String registryUrl = "";

  @Option(
      names = "--webhook-port",
      defaultValue = "7700",
      paramLabel = "PORT",
      description = "Port for the registry's notifications (${DEFAULT-VALUE}).")
  private int webhookPort;

  @Option(
      names = "--cache-port",
      defaultValue = "7720",
      paramLabel = "PORT",
      description = "Port of the fleet's cache (${DEFAULT-VALUE}).")
  private int cachePort;

  @Option(
      names = "--registry-port",
      defaultValue = "7703",
      paramLabel = "PORT",
      description = "Port of the registry in process (${DEFAULT-VALUE}).")
  private int registryPort;

  @Option(
      names = "--kafka-port",
      defaultValue = "7704",
      paramLabel = "PORT",
      description = "Port of the embedded broker (${DEFAULT-VALUE}).")
  private int kafkaPort;

  @Option(
      names = "--admin-port",
      defaultValue = "7710",
      paramLabel = "PORT",
      description =
          "First of five ports for health and metrics: ingest, indexer, pusher, cache, node (${DEFAULT-VALUE}).")
  private int adminPort;

  @Option(
      names = "--free-ports",
      description = "Choose free ports instead of these; other options of ports are ignored.")
  private boolean freePorts;

  @Option(
      names = "--min-layer-size",
      defaultValue = "10485760",
      paramLabel = "BYTES",
      description = "Smaller layers get no zTOC (${DEFAULT-VALUE}).")
  private long minLayerSize;

  /**
   * The stack that the options describe.
   *
   * @param socket where the node serves containerd; empty for no node
   */
  public StackPlan plan(Path state, Optional<Path> socket) {
    Optional<RegistryHost> given = Optional.ofNullable(registry).map(this::registry);
    Ports ports =
        freePorts
            ? new Ports(0, 0, 0, 0, 0)
            : new Ports(webhookPort, cachePort, registryPort, kafkaPort, adminPort);
    return new StackPlan(state.toAbsolutePath().normalize(), given, ports, minLayerSize, socket);
  }

  private RegistryHost registry(String host) {
    try {
      RepositoryName any = new RepositoryName(host, "any");
      RegistryHost standard = RegistryHost.of(any.registry());
      return registryUrl.isEmpty()
          ? standard
          : new RegistryHost(
              any.registry(), URI.create(registryUrl), standard.repositories(), false);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure("--registry " + host + ": " + e.getMessage(), 2);
    }
  }
}
