package dev.socifleet.pusher;

import dev.socifleet.events.ImageOutcome;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.ZtocEvent.PlanOpened;
import dev.socifleet.events.ZtocEvent.PlannedImage;
import dev.socifleet.events.ZtocEvent.PlannedLayer;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Platform;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.V2Conversion;
import dev.socifleet.sociindex.publish.IndexPublisher;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes one complete plan. Every write is idempotent and looked at afterwards; publishing twice
 * changes nothing.
 */
final class Publisher {
  private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);

  private final Repository repository;
  private final IndexPublisher publisher;
  private final PlanOpened plan;
  private final PlanEnding ending;

  /** Each once, however many layers or tags it is true of. */
  private final Set<String> reasons = new LinkedHashSet<>();

  Publisher(Repository repository, PlanOpened plan) {
    this.repository = repository;
    publisher = new IndexPublisher(repository);
    this.plan = plan;
    ending = new PlanEnding(plan);
  }

  /** An image of the plan with the zTOCs that its layers got. */
  private record Ready(PlannedImage image, Platform platform, List<SociIndex.LayerZtoc> ztocs) {}

  ImageOutcome publish() throws IOException {
    List<Ready> ready = new ArrayList<>();
    List<ImageOutcome.PlatformOutcome> platforms = new ArrayList<>();
    for (PlannedImage image : plan.images()) {
      List<SociIndex.LayerZtoc> ztocs = ztocs(image);
      @Nullable Digest v1 = null;
      if (!ztocs.isEmpty()) {
        Platform platform = image.platform();
        ready.add(new Ready(image, platform == null ? Platforms.host() : platform, ztocs));
        publisher.putConfig();
        v1 = plan.publishV1() ? v1(image, ztocs) : null;
      }
      platforms.add(ending.platform(image, v1));
    }
    if (ready.isEmpty()) {
      return ending.outcome("nothing-to-index", "no layer got a zTOC", platforms, null, null);
    }
    @Nullable Digest v2 = null;
    @Nullable String v2Tag = null;
    if (plan.publishV2() && !plan.tags().isEmpty()) {
      Optional<ManifestBlob> converted = v2(ready);
      for (String tag : plan.tags()) {
        if (converted.isPresent() && tagV2(tag, converted.get())) {
          v2 = converted.get().digest();
          v2Tag = v2Tag(tag);
        }
      }
    }
    boolean published =
        v2 != null || platforms.stream().anyMatch(platform -> platform.v1() != null);
    return ending.outcome(
        published ? "published" : "failed", String.join("; ", reasons), platforms, v2, v2Tag);
  }

  private List<SociIndex.LayerZtoc> ztocs(PlannedImage image) {
    List<SociIndex.LayerZtoc> ztocs = new ArrayList<>();
    for (PlannedLayer layer : image.layers()) {
      LayerResult result =
          layer.leftOut() == null ? plan.outcomes().get(layer.digest().toString()) : null;
      switch (result) {
        case LayerResult.Indexed indexed ->
            ztocs.add(
                new SociIndex.LayerZtoc(
                    layer.digest(),
                    layer.mediaType(),
                    indexed.ztoc(),
                    indexed.ztocSizeBytes(),
                    layer.spanSizeBytes()));
        case LayerResult.Reused reused ->
            ztocs.add(
                new SociIndex.LayerZtoc(
                    layer.digest(),
                    layer.mediaType(),
                    reused.ztoc(),
                    reused.ztocSizeBytes(),
                    layer.spanSizeBytes()));
        case LayerResult.Skipped _, LayerResult.Failed _ -> reasons.add("a layer was left out");
        case null -> LOG.trace("layer {} was left out by the plan", layer.digest());
      }
    }
    return ztocs;
  }

  private @Nullable Digest v1(PlannedImage image, List<SociIndex.LayerZtoc> ztocs)
      throws RegistryException {
    if (repository.headManifest(image.manifest().digest().toString()).isEmpty()) {
      reasons.add("manifest " + image.manifest().digest() + " was deleted meanwhile");
      return null; // a referrer of nothing would stay for ever
    }
    ManifestBlob index = SociIndex.v1(ztocs, image.manifest()).manifest();
    Optional<String> refused = publisher.v1(image.manifest().digest(), index);
    if (refused.isPresent()) {
      reasons.add(refused.get());
      return null;
    }
    LOG.info(
        "{}: published v1 index {} of {}",
        plan.repository(),
        index.digest(),
        image.manifest().digest());
    return index.digest();
  }

  private Optional<ManifestBlob> v2(List<Ready> ready) throws IOException {
    Optional<ManifestBlob> target = repository.manifest(plan.target().digest().toString());
    if (target.isEmpty()) {
      reasons.add("the image was deleted before v2 could be made");
      return Optional.empty();
    }
    List<V2Conversion.Indexed> indexed = new ArrayList<>();
    for (Ready image : ready) {
      ManifestBlob index = SociIndex.v2(image.ztocs()).manifest();
      indexed.add(
          new V2Conversion.Indexed(image.image().manifest().digest(), image.platform(), index));
    }
    try {
      return Optional.of(
          publisher
              .v2(target.get(), digest -> repository.manifest(digest.toString()), indexed)
              .root());
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      // What the image is made of changed since it was planned: v1 is of what is still there.
      reasons.add(String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  /** Tags the converted image, if the tag it was made of still means what was planned. */
  private boolean tagV2(String tag, ManifestBlob converted) throws RegistryException {
    if (!publisher.pointsAt(tag, plan.target().digest())) {
      reasons.add("tag " + tag + " points elsewhere by now, so no v2 was tagged for it");
      return false;
    }
    String v2Tag = v2Tag(tag);
    publisher.tag(v2Tag, converted);
    LOG.info("{}: published v2 image {} as {}", plan.repository(), converted.digest(), v2Tag);
    return true;
  }

  private String v2Tag(String tag) {
    return plan.v2TagTemplate().replace("{tag}", tag);
  }
}
