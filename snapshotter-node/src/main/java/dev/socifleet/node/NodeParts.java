package dev.socifleet.node;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.cacheclient.HttpFleetCache;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.layers.FuseLayers;
import dev.socifleet.node.layers.LayerBytes;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.oci.HttpRegistries;
import dev.socifleet.oci.Registries;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The parts of a node that have more than one implementation; the one place where they meet. */
public interface NodeParts {
  /**
   * The lazy file system.
   *
   * @param mountDirectory where it is mounted; made by the callee
   * @param state what it keeps
   */
  LazyLayers layers(
      NodeConfig config,
      Path mountDirectory,
      Path state,
      NodeDatabase database,
      LayerBytes bytes,
      Metrics metrics)
      throws IOException;

  /** Where images come from. */
  default Registries registries(NodeConfig config) {
    return HttpRegistries.open(config.registries());
  }

  /** The fleet's cache, if one is configured. */
  Optional<FleetCache> cache(NodeConfig config, Metrics metrics) throws IOException;

  /** What a node has outside of tests. */
  static NodeParts standard() {
    return new NodeParts() {
      @Override
      public LazyLayers layers(
          NodeConfig config,
          Path mountDirectory,
          Path state,
          NodeDatabase database,
          LayerBytes bytes,
          Metrics metrics)
          throws IOException {
        return FuseLayers.open(
            mountDirectory,
            state,
            database,
            bytes,
            new FuseLayers.Limits(config.storeLimitBytes(), 2 * config.transfersPerRegistry()),
            metrics);
      }

      @Override
      public Optional<FleetCache> cache(NodeConfig config, Metrics metrics) throws IOException {
        return config.cache().isEmpty()
            ? Optional.empty()
            : Optional.of(HttpFleetCache.open(config.cache().get()));
      }
    };
  }
}
