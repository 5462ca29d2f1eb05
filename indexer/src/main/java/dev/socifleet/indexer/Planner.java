package dev.socifleet.indexer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.socifleet.events.Delays;
import dev.socifleet.events.Event;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.EventTooLargeException;
import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.PushEvent;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.indexer.PushedImage.NothingToPlan;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one plan of a push. The plan is opened, acknowledged by Kafka, before its tasks are sent: a
 * task's outcome must never come to a pusher that can't learn of its plan. A replay makes the same
 * plan id and repeats both, which changes nothing.
 */
final class Planner implements EventConsumer.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(Planner.class);
  private static final Duration GIVE_UP = Duration.ofDays(1);

  private final IndexerConfig config;
  private final Registries registries;
  private final EventProducer producer;
  private final Metrics metrics;

  /**
   * The plan that this process opened last for a name (a tag, or a digest) just now: one push is
   * announced many times. A tag that comes back to an earlier image is planned again, as its v2 is
   * of the image in between. A loss only repeats work.
   */
  private final Cache<String, String> recent =
      Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(Duration.ofMinutes(1)).build();

  Planner(IndexerConfig config, Registries registries, EventProducer producer, Metrics metrics) {
    this.config = config;
    this.registries = registries;
    this.producer = producer;
    this.metrics = metrics;
  }

  @Override
  public void handle(Event event, int partition, Runnable done) throws Exception {
    if (event instanceof PushEvent.ImagePushed pushed) {
      plan(pushed);
    }
    done.run();
  }

  private void plan(PushEvent.ImagePushed pushed) throws IOException {
    @Nullable Digest target = null;
    try {
      Repository repository = registries.repository(pushed.repository());
      String wanted = pushed.tag() != null ? pushed.tag() : String.valueOf(pushed.digest());
      Optional<ManifestBlob> found = repository.manifest(wanted);
      if (found.isEmpty()) {
        count("gone");
        LOG.info("{}: {} isn't there any more", pushed.repository(), wanted);
        return;
      }
      target = found.get().digest();
      open(pushed, repository, found.get());
    } catch (MalformedDocumentException | EventTooLargeException e) {
      count("malformed");
      failed(pushed, target, e);
    } catch (RegistryException e) {
      if (e.temporary() && pushed.seenAt().plus(GIVE_UP).isAfter(Instant.now())) {
        int attempts =
            Math.clamp(Duration.between(pushed.seenAt(), Instant.now()).toMinutes() + 1, 1, 6);
        Delays.later(producer, Topic.PUSHES, pushed, attempts, e.retryAfter());
        count("delayed");
        LOG.warn("{}; the push waits", e.getMessage());
      } else {
        count("failed");
        failed(pushed, target, e);
      }
    }
  }

  /**
   * @param target null while the registry didn't say what was pushed: then there is no image to
   *     tell of
   */
  private void failed(PushEvent.ImagePushed pushed, @Nullable Digest target, Exception why)
      throws IOException {
    LOG.error("cannot plan the push of {}: {}", pushed.repository(), why.getMessage());
    if (target != null) {
      String reason = String.valueOf(why.getMessage());
      producer.send(Topic.IMAGES, ended(pushed, target, "failed", reason, List.of()));
    }
  }

  private void open(PushEvent.ImagePushed pushed, Repository repository, ManifestBlob target)
      throws IOException {
    List<String> tags = tags(pushed);
    String planId = planId(pushed, target.digest());
    String name =
        pushed.repository() + ":" + (pushed.tag() == null ? target.digest() : pushed.tag());
    if (planId.equals(recent.getIfPresent(name))) {
      count("repeated");
      return;
    }
    boolean v2 = config.rules().v2() && !tags.isEmpty();
    if (!config.rules().v1() && !v2) {
      count("nothing-to-publish");
      LOG.debug("{} {}: no index of it is wanted", pushed.repository(), target.digest());
      return;
    }
    List<PlannedImage> images;
    try {
      images = new PushedImage(repository, config.rules()).read(target);
    } catch (NothingToPlan e) {
      count("not-ours-to-index");
      LOG.debug("{} {}: {}", pushed.repository(), target.digest(), e.getMessage());
      return;
    }
    Instant now = Instant.now();
    Map<Digest, LayerTask> tasks = new LinkedHashMap<>();
    for (PlannedImage image : images) {
      for (PlannedLayer layer : image.layers()) {
        if (layer.leftOut() == null) {
          tasks.put(
              layer.digest(),
              new LayerTask(
                  pushed.repository(),
                  planId,
                  layer.digest(),
                  layer.mediaType(),
                  layer.sizeBytes(),
                  layer.spanSizeBytes(),
                  1,
                  now));
        }
      }
    }
    if (tasks.isEmpty()) {
      count("nothing-to-index");
      producer.send(
          Topic.IMAGES,
          ended(
              pushed,
              target.digest(),
              "nothing-to-index",
              "no layer of it can or need be indexed",
              outcomes(images)));
      LOG.info("{} {}: nothing to index", pushed.repository(), target.digest());
      return;
    }
    producer.send(
        Topic.ZTOCS,
        new PlanOpened(
            pushed.repository(),
            planId,
            Descriptor.of(target.mediaType(), target.digest(), target.bytes().length),
            tags,
            images,
            config.rules().v1(),
            v2,
            config.rules().v2Tag(),
            Map.of(),
            pushed.seenAt(),
            now,
            now.plus(config.planDeadline())));
    producer.sendAll(Topic.LAYERS, new ArrayList<>(tasks.values()));
    recent.put(name, planId);
    count("opened");
    LOG.info(
        "{} {}: plan {} with {} layers to index",
        pushed.repository(),
        target.digest(),
        planId.substring(0, 12),
        tasks.size());
  }

  /** The same push under the same rules is the same plan, whoever makes it and however often. */
  private String planId(PushEvent.ImagePushed pushed, Digest target) {
    return Digest.of(
            (pushed.repository() + "\n" + target + "\n" + config.rules())
                .getBytes(StandardCharsets.UTF_8))
        .hex();
  }

  private static List<String> tags(PushEvent.ImagePushed pushed) {
    return pushed.tag() == null ? List.of() : List.of(pushed.tag());
  }

  /** How a push ended of which no plan was opened. */
  private ImageOutcome ended(
      PushEvent.ImagePushed pushed,
      Digest target,
      String status,
      String reason,
      List<ImageOutcome.PlatformOutcome> platforms) {
    Instant now = Instant.now();
    return new ImageOutcome(
        pushed.repository(),
        target,
        planId(pushed, target),
        tags(pushed),
        status,
        reason,
        platforms,
        null,
        null,
        pushed.seenAt(),
        now,
        now);
  }

  private static List<ImageOutcome.PlatformOutcome> outcomes(List<PlannedImage> images) {
    return images.stream()
        .map(image ->
            new ImageOutcome.PlatformOutcome(
                image.manifest().digest(),
                image.platform(),
                null,
                image.layers().stream()
                    .map(layer ->
                        new ImageOutcome.LayerDecision(
                            layer.digest(),
                            layer.sizeBytes(),
                            "skipped",
                            String.valueOf(layer.leftOut()),
                            null))
                    .toList()))
        .toList();
  }

  private void count(String result) {
    metrics
        .counter("soci_indexer_pushes_total", "Pushes by what became of them", "result", result)
        .increment();
  }
}
