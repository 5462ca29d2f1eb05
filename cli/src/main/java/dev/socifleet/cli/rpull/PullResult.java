package dev.socifleet.cli.rpull;

import java.time.Duration;
import java.util.List;

/** What a pull came to; the image can be run. */
record PullResult(FoundImage image, List<LayerResult> layers, Duration took) {
  PullResult {
    layers = List.copyOf(layers);
  }

  long lazyLayers() {
    return layers.stream().filter(layer -> layer.state() == LayerResult.State.LAZY).count();
  }

  /** Layer bytes that came from the registry; documents aren't counted. */
  long downloaded() {
    return layers.stream().mapToLong(LayerResult::downloaded).sum();
  }
}
