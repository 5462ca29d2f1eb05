package dev.socifleet.events;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.RepositoryName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * soci.ztocs: a plan and its layers' outcomes, merged by plan id; a replay of either changes
 * nothing.
 */
public sealed interface ZtocEvent extends Event {
  String planId();

  /**
   * A plan is open. Acknowledged by Kafka before its LayerTasks are sent.
   *
   * @param target the pushed manifest or index, as the registry has it
   * @param tags the tags that the push named; empty for a manifest pushed by digest only
   * @param images the image manifests to index, in the target's order
   * @param outcomes outcomes carried over when the plan was appended again, by layer digest text
   * @param deadline when it ends as failed(timeout)
   */
  record PlanOpened(
      RepositoryName repository,
      String planId,
      Descriptor target,
      List<String> tags,
      List<PlannedImage> images,
      boolean publishV1,
      boolean publishV2,
      String v2TagTemplate,
      Map<String, LayerResult> outcomes,
      Instant pushedAt,
      Instant openedAt,
      Instant deadline)
      implements ZtocEvent {
    public PlanOpened {
      tags = List.copyOf(tags);
      images = List.copyOf(images);
      outcomes = Map.copyOf(outcomes);
    }
  }

  /**
   * One image manifest of a plan, with every layer of it: each waited for, or left out with its
   * reason.
   */
  record PlannedImage(Descriptor manifest, @Nullable Platform platform, List<PlannedLayer> layers) {
    public PlannedImage {
      layers = List.copyOf(layers);
    }
  }

  /**
   * @param leftOut why no task was sent for it; null when an outcome is expected
   */
  record PlannedLayer(
      Digest digest,
      String mediaType,
      long sizeBytes,
      long spanSizeBytes,
      @Nullable String leftOut) {}

  /** What became of one LayerTask. */
  record LayerOutcome(
      RepositoryName repository,
      String planId,
      Digest layer,
      long spanSizeBytes,
      LayerResult result,
      Instant at)
      implements ZtocEvent {}
}
