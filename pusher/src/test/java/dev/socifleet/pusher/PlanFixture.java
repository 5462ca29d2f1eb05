package dev.socifleet.pusher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.ZtocEvent;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.Platform;
import dev.socifleet.service.Metrics;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.testing.PipelineFixture;
import dev.socifleet.testing.RawImage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/**
 * A board of plans between a real broker and a real registry; records are handed to it as its
 * consumer would, one after another, without waiting.
 */
abstract class PlanFixture extends PipelineFixture {
  /** A layer whose text begins so is left out by its plan, for this reason. */
  static final String LEFT_OUT = "too small";

  static final Duration CARRY_OVER = Duration.ofMinutes(10);
  static final Duration DEADLINE = Duration.ofHours(1);

  PlanBoard board;

  /** The board's time, which only a test moves. */
  Instant now = Instant.now();

  /** Records that the board said are finished. */
  final AtomicInteger done = new AtomicInteger();

  @BeforeEach
  void freshBoard() {
    board = newBoard();
  }

  /** Another board, as of another process. */
  PlanBoard newBoard() {
    return new PlanBoard(CARRY_OVER, () -> now, registries, rig.producer(), new Metrics());
  }

  void tickAfter(Duration time) throws Exception {
    now = now.plus(time);
    board.tick();
  }

  void handle(ZtocEvent... events) throws Exception {
    for (ZtocEvent event : events) {
      board.handle(event, 0, done::incrementAndGet);
    }
  }

  /** An image in the registry whose layers are these texts; the board needs no tars. */
  ManifestBlob image(@Nullable String tag, String... layers) throws Exception {
    List<Descriptor> descriptors = new ArrayList<>();
    for (String layer : layers) {
      descriptors.add(RawImage.layer(repository, utf8(layer)));
    }
    return RawImage.push(repository, tag, descriptors);
  }

  static PlannedImage planned(ManifestBlob image, String... layers) {
    List<PlannedLayer> all = new ArrayList<>();
    for (String layer : layers) {
      all.add(
          new PlannedLayer(
              layer(layer),
              MediaTypes.OCI_LAYER_GZIP,
              layer.length(),
              1 << 20,
              layer.startsWith(LEFT_OUT) ? LEFT_OUT : null));
    }
    return new PlannedImage(
        Descriptor.of(image.mediaType(), image.digest(), image.bytes().length),
        Platform.of("linux", "amd64", ""),
        all);
  }

  /** The plan, opened just now, of what was just pushed as 1.0. */
  PlanOpened plan(ManifestBlob target, PlannedImage... images) {
    return new PlanOpened(
        name,
        "plan of " + name + "@" + target.digest(),
        Descriptor.of(target.mediaType(), target.digest(), target.bytes().length),
        List.of("1.0"),
        List.of(images),
        true,
        true,
        "{tag}-soci",
        Map.of(),
        now,
        now,
        now.plus(DEADLINE));
  }

  /** The same announcement, but for its tags and for what is to be published. */
  static PlanOpened with(PlanOpened plan, List<String> tags, boolean v1, boolean v2) {
    return new PlanOpened(
        plan.repository(),
        plan.planId(),
        plan.target(),
        tags,
        plan.images(),
        v1,
        v2,
        plan.v2TagTemplate(),
        plan.outcomes(),
        plan.pushedAt(),
        plan.openedAt(),
        plan.deadline());
  }

  PlanOpened plan(ManifestBlob image, String... layers) {
    return plan(image, planned(image, layers));
  }

  /** A layer's zTOC, put into the repository, and the outcome that says so. */
  LayerOutcome indexed(PlanOpened plan, String layer) throws Exception {
    byte[] ztoc = utf8("zTOC of " + layer);
    RawImage.blob(repository, SociTerms.ZTOC_TYPE, ztoc);
    return outcome(plan, layer, new LayerResult.Indexed(Digest.of(ztoc), ztoc.length, 1, 1));
  }

  LayerOutcome outcome(PlanOpened plan, String layer, LayerResult result) {
    return new LayerOutcome(name, plan.planId(), layer(layer), 1 << 20, result, Instant.now());
  }

  static Digest layer(String text) {
    return Digest.of(utf8(text));
  }

  ImageOutcome onlyImage() {
    List<ImageOutcome> images = images();
    assertThat(images).hasSize(1);
    return images.getFirst();
  }

  List<Descriptor> v1Of(ManifestBlob image) throws Exception {
    return repository.referrers(image.digest(), SociTerms.V1_TYPE);
  }
}
