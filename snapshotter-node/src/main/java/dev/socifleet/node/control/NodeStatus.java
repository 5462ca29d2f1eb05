package dev.socifleet.node.control;

import dev.socifleet.node.mounts.MountedImage;
import java.util.List;

/**
 * The answer of {@code GET /v1/status}.
 *
 * @param layers every lazy layer on this node
 * @param decisions the last one for each (image, layer), the latest last
 * @param transfers what was transferred since the node's start
 */
public record NodeStatus(
    List<Layer> layers,
    List<MountedImage> mounts,
    List<Decision> decisions,
    List<Transfer> transfers) {
  public NodeStatus {
    layers = List.copyOf(layers);
    mounts = List.copyOf(mounts);
    decisions = List.copyOf(decisions);
    transfers = List.copyOf(transfers);
  }

  /** A lazy layer, by its digest and its zTOC's. */
  public record Layer(String layer, String ztoc) {}

  /**
   * What was decided for a layer.
   *
   * @param reason a code of {@link dev.socifleet.node.images.Reason}
   * @param at ISO 8601, UTC
   */
  public record Decision(String image, String layer, String reason, String detail, String at) {}

  /**
   * What came from one source.
   *
   * @param source {@code cache} or {@code registry}
   * @param content {@code spans}, {@code ztocs} or {@code layers}
   */
  public record Transfer(String source, String content, long requests, long bytes) {}

  /** Bytes of one content from one source; 0 where nothing is said of it. */
  public long bytes(String source, String content) {
    return transfers.stream()
        .filter(t -> t.source().equals(source) && t.content().equals(content))
        .mapToLong(Transfer::bytes)
        .sum();
  }
}
