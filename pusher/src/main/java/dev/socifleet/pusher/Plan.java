package dev.socifleet.pusher;

import dev.socifleet.events.LayerResult;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one plan: its opening, which may come more than once and after outcomes, and the
 * outcomes of its layers. One thread.
 */
final class Plan {
  private final Map<String, LayerResult> outcomes = new HashMap<>();
  private final Set<String> tags = new LinkedHashSet<>();
  private final Set<Instant> openings = new HashSet<>();

  /**
   * To be run when the plan has ended: the records that it was made of may then be forgotten by
   * Kafka.
   */
  private final List<Runnable> records = new ArrayList<>();

  private @Nullable PlanOpened opened;

  void add(PlanOpened again, Runnable done) {
    records.add(done);
    opened = again;
    openings.add(again.openedAt());
    tags.addAll(again.tags());
    again.outcomes().forEach((layer, result) -> outcomes.merge(layer, result, Plan::truer));
  }

  void add(LayerOutcome outcome, Runnable done) {
    records.add(done);
    outcomes.merge(outcome.layer().toString(), outcome.result(), Plan::truer);
  }

  /**
   * The later one, but that a zTOC which is there is never lost: the same task may end twice, and
   * fail the second time. Of a zTOC that the registry forgot {@link #forget} was told.
   */
  private static LayerResult truer(LayerResult known, LayerResult later) {
    return hasZtoc(known) && !hasZtoc(later) ? known : later;
  }

  private static boolean hasZtoc(LayerResult result) {
    return result instanceof LayerResult.Indexed || result instanceof LayerResult.Reused;
  }

  /** The opening with every tag and outcome that came so far; null while only outcomes came. */
  @Nullable PlanOpened opened() {
    PlanOpened known = opened;
    if (known == null) {
      return null;
    }
    return new PlanOpened(
        known.repository(),
        known.planId(),
        known.target(),
        List.copyOf(tags),
        known.images(),
        known.publishV1(),
        known.publishV2(),
        known.v2TagTemplate(),
        outcomes,
        known.pushedAt(),
        known.openedAt(),
        known.deadline());
  }

  /** When it was opened, each time that it was; a record that is read again is one of them. */
  Set<Instant> openings() {
    return Set.copyOf(openings);
  }

  boolean complete() {
    PlanOpened known = opened;
    if (known == null) {
      return false;
    }
    for (PlannedImage image : known.images()) {
      for (PlannedLayer layer : image.layers()) {
        if (layer.leftOut() == null && !outcomes.containsKey(layer.digest().toString())) {
          return false;
        }
      }
    }
    return true;
  }

  void forget(String layer) {
    outcomes.remove(layer);
  }

  void ended() {
    records.forEach(Runnable::run);
    records.clear();
  }
}
