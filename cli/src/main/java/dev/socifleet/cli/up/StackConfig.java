package dev.socifleet.cli.up;

import dev.socifleet.cli.Machine;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@code soci up} runs where.
 *
 * @param state the one directory of all state
 * @param registry a registry that is there already; empty runs a small one in process
 * @param minLayerSizeBytes layers below this size get no zTOC
 */
public record StackConfig(
    Path state,
    Optional<External> registry,
    Ports ports,
    Path socket,
    Path mountPoint,
    long minLayerSizeBytes) {

  /** A registry by the name of its references, and where its API is. */
  public record External(String host, String url) {}

  /** Ports on this machine's loopback; 0 lets the system choose. */
  public record Ports(int ingest, int cache, int nodeAdmin, int registry, int kafka) {
    public static final Ports STANDARD = new Ports(7700, 7701, 7702, 7703, 7704);
    public static final Ports ANY = new Ports(0, 0, 0, 0, 0);

    /** Fails with one line when one of them is taken. */
    public void needFree() {
      Machine.needPort(ingest, "the webhook", "--ingest-port");
      Machine.needPort(cache, "the span cache", "--cache-port");
      Machine.needPort(nodeAdmin, "the node's admin port", "--node-port");
      Machine.needPort(registry, "the small registry", "--registry-port");
      Machine.needPort(kafka, "the embedded Kafka broker", "--kafka-port");
    }
  }
}
