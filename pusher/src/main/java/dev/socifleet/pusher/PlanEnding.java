package dev.socifleet.pusher;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.ImageOutcome.LayerDecision;
import dev.socifleet.events.ImageOutcome.PlatformOutcome;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Digest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a plan ended, as soci.images tells it. Needs no registry: one may be why it ended. */
final class PlanEnding {
  private final PlanOpened plan;

  PlanEnding(PlanOpened plan) {
    this.plan = plan;
  }

  /** The end of a plan that could not be published. */
  ImageOutcome failed(String reason) {
    List<PlatformOutcome> platforms = new ArrayList<>();
    for (PlannedImage image : plan.images()) {
      platforms.add(platform(image, null));
    }
    return outcome("failed", reason, platforms, null, null);
  }

  /**
   * @param v1 null where none was published
   */
  PlatformOutcome platform(PlannedImage image, @Nullable Digest v1) {
    return new PlatformOutcome(image.manifest().digest(), image.platform(), v1, decisions(image));
  }

  private List<LayerDecision> decisions(PlannedImage image) {
    List<LayerDecision> decisions = new ArrayList<>();
    for (PlannedLayer layer : image.layers()) {
      LayerResult result =
          layer.leftOut() != null
              ? new LayerResult.Skipped(layer.leftOut())
              : plan.outcomes()
                  .getOrDefault(
                      layer.digest().toString(), new LayerResult.Failed("no outcome came in time"));
      decisions.add(
          switch (result) {
            case LayerResult.Indexed indexed -> decision(layer, "indexed", "", indexed.ztoc());
            case LayerResult.Reused reused -> decision(layer, "reused", "", reused.ztoc());
            case LayerResult.Skipped skipped -> decision(layer, "skipped", skipped.reason(), null);
            case LayerResult.Failed failed -> decision(layer, "failed", failed.reason(), null);
          });
    }
    return decisions;
  }

  private static LayerDecision decision(
      PlannedLayer layer, String decision, String reason, @Nullable Digest ztoc) {
    return new LayerDecision(layer.digest(), layer.sizeBytes(), decision, reason, ztoc);
  }

  /** Without the decision on each layer: for an outcome that would be too large for a record. */
  static ImageOutcome inShort(ImageOutcome outcome) {
    List<PlatformOutcome> platforms =
        outcome.platforms().stream()
            .map(one -> new PlatformOutcome(one.manifest(), one.platform(), one.v1(), List.of()))
            .toList();
    String reason = "its layers are too many to list here";
    return new ImageOutcome(
        outcome.repository(),
        outcome.target(),
        outcome.planId(),
        outcome.tags(),
        outcome.status(),
        outcome.reason().isEmpty() ? reason : outcome.reason() + "; " + reason,
        platforms,
        outcome.v2(),
        outcome.v2Tag(),
        outcome.pushedAt(),
        outcome.openedAt(),
        outcome.publishedAt());
  }

  ImageOutcome outcome(
      String status,
      String reason,
      List<PlatformOutcome> platforms,
      @Nullable Digest v2,
      @Nullable String v2Tag) {
    return new ImageOutcome(
        plan.repository(),
        plan.target().digest(),
        plan.planId(),
        plan.tags(),
        status,
        reason,
        platforms,
        v2,
        v2Tag,
        plan.pushedAt(),
        plan.openedAt(),
        Instant.now());
  }
}
