package dev.socifleet.cli.demo;

import dev.socifleet.cli.Sizes;
import dev.socifleet.events.Event;
import dev.socifleet.events.EventConsumer;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.PushEvent;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Parts;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Follows the pipeline's topics as anybody can, and says what happens to one repository: each stage
 * of each plan as a line.
 */
final class PipelineEvents implements AutoCloseable {
  private final Parts parts = new Parts();
  private final Instant since = Instant.now();
  private final Consumer<String> line;
  private final String tag;
  private final Map<Digest, String> layerNames = new ConcurrentHashMap<>();
  private final Map<Digest, Long> layerSizes = new ConcurrentHashMap<>();
  private final Map<Digest, CompletableFuture<ImageOutcome>> outcomes = new ConcurrentHashMap<>();

  private PipelineEvents(
      KafkaAccess kafka, RepositoryName repository, String tag, Consumer<String> line) {
    this.line = line;
    this.tag = tag;
    EventProducer producer = parts.add(new EventProducer(kafka));
    String group = "demo-" + UUID.randomUUID();
    for (Topic topic : new Topic[] {Topic.PUSHES, Topic.ZTOCS, Topic.IMAGES}) {
      parts.add(
          EventConsumer.start(
              producer,
              topic,
              group + "-" + topic.name().toLowerCase(Locale.ROOT),
              (event, _, done) -> {
                if (event.repository().equals(repository)) {
                  show(event);
                }
                done.run();
              }));
    }
  }

  /**
   * @param tag the pushes of interest; publishing pushes as well
   * @param line takes one stage in words
   */
  static PipelineEvents follow(
      KafkaAccess kafka, RepositoryName repository, String tag, Consumer<String> line) {
    return new PipelineEvents(kafka, repository, tag, line);
  }

  /** What the layers of an image are called and how large they are. */
  void name(DemoImage image) {
    for (DemoLayer layer : image.layers()) {
      layerNames.put(layer.digest(), layer.name());
      layerSizes.put(layer.digest(), layer.size());
    }
  }

  /** Waits until this image's plan has ended. */
  ImageOutcome await(Digest image, Duration patience) throws IOException, InterruptedException {
    try {
      return outcome(image).get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "image " + image + " was not indexed within " + patience.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("outcomes are never failures", e);
    }
  }

  private CompletableFuture<ImageOutcome> outcome(Digest image) {
    return outcomes.computeIfAbsent(image, key -> new CompletableFuture<>());
  }

  private void show(Event event) {
    switch (event) {
      case PushEvent.ImagePushed pushed when recent(pushed.seenAt()) && tag.equals(pushed.tag()) ->
          line.accept("event    ingest took the registry's notification of tag " + tag);
      case ZtocEvent.PlanOpened plan when recent(plan.openedAt()) -> plan(plan);
      case ZtocEvent.LayerOutcome layer when recent(layer.at()) -> layer(layer);
      case ImageOutcome image when recent(image.publishedAt()) -> image(image);
      default -> {
        // an earlier run's, or of no interest here
      }
    }
  }

  private boolean recent(Instant instant) {
    return !instant.isBefore(since);
  }

  private void plan(ZtocEvent.PlanOpened plan) {
    long wanted =
        plan.images().stream()
            .flatMap(image -> image.layers().stream())
            .filter(layer -> layer.leftOut() == null)
            .count();
    line.accept(
        "plan     " + plan.planId().substring(0, 12) + " opened: " + wanted + " layers get a zTOC");
    plan.images().stream()
        .flatMap(image -> image.layers().stream())
        .filter(layer -> layer.leftOut() != null)
        .forEach(layer ->
            line.accept(
                "           layer " + name(layer.digest()) + " gets none: " + layer.leftOut()));
  }

  private void layer(ZtocEvent.LayerOutcome outcome) {
    String name = name(outcome.layer());
    switch (outcome.result()) {
      case LayerResult.Indexed built ->
          line.accept(
              String.format(
                  Locale.ROOT,
                  "zTOC     layer %s: %s inflated to %s in %d ms, %.0f MB/s; the zTOC has %s",
                  name,
                  Sizes.megabytes(layerSizes.getOrDefault(outcome.layer(), 0L)),
                  Sizes.megabytes(built.uncompressedBytes()),
                  built.millis(),
                  built.uncompressedBytes() / 1e3 / Math.max(1, built.millis()),
                  Sizes.megabytes(built.ztocSizeBytes())));
      case LayerResult.Reused reused ->
          line.accept("zTOC     layer " + name + ": the fleet had it already, " + reused.ztoc());
      case LayerResult.Skipped skipped ->
          line.accept("zTOC     layer " + name + " skipped: " + skipped.reason());
      case LayerResult.Failed failed ->
          line.accept("zTOC     layer " + name + " failed: " + failed.reason());
    }
  }

  private void image(ImageOutcome image) {
    for (ImageOutcome.PlatformOutcome platform : image.platforms()) {
      if (platform.v1() != null) {
        line.accept("v1       " + platform.v1() + " refers to the unchanged image");
      }
    }
    if (image.v2() != null) {
      line.accept("v2       " + image.v2() + " is the converted image " + image.v2Tag());
    }
    if (!image.status().equals("published")) {
      line.accept("outcome  " + image.status() + ": " + image.reason());
    }
    outcome(image.target()).complete(image);
  }

  private String name(Digest layer) {
    return layerNames.getOrDefault(layer, layer.toString());
  }

  @Override
  public void close() {
    parts.close();
  }
}
