package dev.socifleet.pusher;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.socifleet.events.Event;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.EventTooLargeException;
import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.KafkaUnavailableException;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open plans of this pusher's partitions. A plan's records stay unfinished until it has ended,
 * so that a kill at any moment makes the successor read them again. Thread-safe: the consumer
 * brings records, a clock brings what is due.
 */
final class PlanBoard implements EventConsumer.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(PlanBoard.class);
  private static final int MOST_REEMISSIONS = 3;
  private static final Duration LONGEST_BACKOFF = Duration.ofMinutes(1);

  /** A plan's place on the board. */
  private static final class Entry {
    private final int partition;
    private final Plan plan = new Plan();
    private Instant since;
    private Instant nextAttempt = Instant.MIN;
    private int attempts;

    /** What the registry said at the last attempt to publish; empty before there was one. */
    private String trouble = "";

    private int reemissions;

    Entry(int partition, Instant since) {
      this.partition = partition;
      this.since = since;
    }
  }

  private final Duration carryOver;
  private final InstantSource clock;
  private final Registries registries;
  private final EventProducer producer;
  private final Metrics metrics;
  private final Map<String, Entry> entries = new HashMap<>();

  /**
   * Records may come twice; those of a plan that has ended need no place. By plan id the openings
   * it was made of: one of another time is a new announcement, whose tasks are on their way.
   */
  private final Cache<String, Set<Instant>> ended =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(Duration.ofHours(1)).build();

  PlanBoard(
      Duration carryOver,
      InstantSource clock,
      Registries registries,
      EventProducer producer,
      Metrics metrics) {
    this.carryOver = carryOver;
    this.clock = clock;
    this.registries = registries;
    this.producer = producer;
    this.metrics = metrics;
    metrics.gauge(
        "soci_pusher_open_plans", "Plans that wait for outcomes or for the registry", this::size);
  }

  private synchronized int size() {
    return entries.size();
  }

  @Override
  public synchronized void handle(Event event, int partition, Runnable done) throws Exception {
    switch (event) {
      case PlanOpened opened -> {
        if (!entries.containsKey(opened.planId()) && hasEnded(opened)) {
          done.run();
          return;
        }
        Entry entry =
            entries.computeIfAbsent(opened.planId(), _ -> new Entry(partition, clock.instant()));
        entry.plan.add(opened, done);
        advance(opened.planId(), entry);
      }
      case LayerOutcome outcome -> {
        Entry entry = entries.get(outcome.planId());
        if (entry == null && ended.getIfPresent(outcome.planId()) != null) {
          done.run();
          return;
        }
        if (entry == null) {
          entry = new Entry(partition, clock.instant());
          entries.put(outcome.planId(), entry);
        }
        entry.plan.add(outcome, done);
        advance(outcome.planId(), entry);
      }
      default -> {
        LOG.warn("a {} on the topic of plans", event.getClass().getSimpleName());
        done.run();
      }
    }
  }

  /**
   * Above all the record of a carry-over, where the plan's last outcome was on its way already:
   * waited for again, it would end a published image as failed.
   */
  private boolean hasEnded(PlanOpened opened) {
    Set<Instant> openings = ended.getIfPresent(opened.planId());
    return openings != null && openings.contains(opened.openedAt());
  }

  @Override
  public synchronized void lost(Collection<Integer> partitions) {
    entries.values().removeIf(entry -> partitions.contains(entry.partition));
  }

  /** Does what is due: another attempt to publish, a deadline, a carry-over. */
  synchronized void tick() throws KafkaUnavailableException {
    Instant now = clock.instant();
    for (Map.Entry<String, Entry> one : List.copyOf(entries.entrySet())) {
      Entry entry = one.getValue();
      PlanOpened opened = entry.plan.opened();
      if (opened == null) {
        if (entry.since.plus(carryOver).isBefore(now)) {
          end(one.getKey(), entry); // outcomes whose plan never came: replays of one long ended
        }
      } else if (opened.deadline().isBefore(now)) {
        finish(one.getKey(), entry, opened, new PlanEnding(opened).failed(timeout(entry)));
      } else if (entry.plan.complete()) {
        advance(one.getKey(), entry);
      } else if (entry.since.plus(carryOver).isBefore(now)) {
        carryOver(entry, opened);
        entry.since = now;
      }
    }
  }

  private void carryOver(Entry entry, PlanOpened opened) throws KafkaUnavailableException {
    try {
      producer.send(Topic.ZTOCS, opened);
      entry.plan.ended();
    } catch (EventTooLargeException e) {
      LOG.warn("{}; it stays until it ends", e.getMessage());
    }
  }

  private static String timeout(Entry entry) {
    return entry.trouble.isEmpty() ? "timeout" : "timeout: " + entry.trouble;
  }

  private static Duration backoff(int attempts) {
    Duration wait = Duration.ofSeconds(1L << Math.min(attempts, 6));
    return wait.compareTo(LONGEST_BACKOFF) > 0 ? LONGEST_BACKOFF : wait;
  }

  private void advance(String planId, Entry entry) throws KafkaUnavailableException {
    PlanOpened opened = entry.plan.opened();
    if (opened == null || !entry.plan.complete() || entry.nextAttempt.isAfter(clock.instant())) {
      return;
    }
    ImageOutcome outcome;
    try {
      outcome = new Publisher(registries.repository(opened.repository()), opened).publish();
    } catch (RegistryException e) {
      if (e.codes().contains("MANIFEST_BLOB_UNKNOWN") && entry.reemissions < MOST_REEMISSIONS) {
        LOG.warn("{}; its zTOCs are made again", e.getMessage());
        buildAgain(entry, opened);
        entry.reemissions++;
        return;
      }
      if (e.temporary()) {
        entry.attempts++;
        Duration wait = e.retryAfter().orElse(backoff(entry.attempts));
        entry.nextAttempt = clock.instant().plus(wait);
        entry.trouble = String.valueOf(e.getMessage());
        LOG.warn("{}; trying again", e.getMessage());
        return;
      }
      outcome = new PlanEnding(opened).failed(String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) { // the edge of a plan: it must not cost the others
      LOG.error("{} {} could not be published", opened.repository(), opened.target().digest(), e);
      outcome = new PlanEnding(opened).failed(e.toString());
    }
    finish(planId, entry, opened, outcome);
  }

  /** The registry forgot a zTOC: its layer's task goes round again. */
  private void buildAgain(Entry entry, PlanOpened opened) throws KafkaUnavailableException {
    List<LayerTask> tasks = new ArrayList<>();
    for (PlannedImage image : opened.images()) {
      for (PlannedLayer layer : image.layers()) {
        @Nullable LayerResult result = opened.outcomes().get(layer.digest().toString());
        if (result instanceof LayerResult.Indexed || result instanceof LayerResult.Reused) {
          tasks.add(
              new LayerTask(
                  opened.repository(),
                  opened.planId(),
                  layer.digest(),
                  layer.mediaType(),
                  layer.sizeBytes(),
                  layer.spanSizeBytes(),
                  1,
                  Instant.now()));
        }
      }
    }
    producer.sendAll(Topic.LAYERS, tasks);
    tasks.forEach(task -> entry.plan.forget(task.layer().toString()));
  }

  private void finish(String planId, Entry entry, PlanOpened opened, ImageOutcome outcome)
      throws KafkaUnavailableException {
    try {
      producer.send(Topic.IMAGES, outcome);
    } catch (EventTooLargeException e) {
      producer.send(Topic.IMAGES, PlanEnding.inShort(outcome));
    }
    metrics
        .counter("soci_pusher_images_total", "Plans by how they ended", "status", outcome.status())
        .increment();
    LOG.info(
        "{} {}: {}{} ({} ms after the push)",
        opened.repository(),
        opened.target().digest(),
        outcome.status(),
        outcome.reason().isEmpty() ? "" : ": " + outcome.reason(),
        Duration.between(opened.pushedAt(), outcome.publishedAt()).toMillis());
    end(planId, entry);
  }

  private void end(String planId, Entry entry) {
    entries.remove(planId);
    ended.put(planId, entry.plan.openings());
    entry.plan.ended();
  }
}
