package dev.socifleet.cli.inspect;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.Sizes;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.IndexDiscovery.Found;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a node will do with each layer, as far as the registry tells. */
final class Explanation {
  private final RemoteImage image;
  private final List<String> lines = new ArrayList<>();
  private final ObjectNode json = new JsonMapper().createObjectNode();

  private Explanation(RemoteImage image) {
    this.image = image;
    json.put("image", image.reference().toString())
        .put("digest", image.target().digest().toString());
  }

  static Explanation of(RemoteImage image, List<Chosen> chosen) throws IOException {
    Explanation explanation = new Explanation(image);
    for (Chosen one : chosen) {
      explanation.add(one);
    }
    return explanation;
  }

  List<String> lines() {
    return lines;
  }

  ObjectNode json() {
    return json;
  }

  private void add(Chosen one) throws IOException {
    Optional<Found> index = ImageIndexes.of(image, one).used();
    Map<Digest, LayerZtoc> ztocs = index.map(found -> found.index().byLayer()).orElse(Map.of());
    lines.add(Platforms.text(one.platform()) + " " + one.image().descriptor().digest());
    lines.add("  " + source(index));
    ObjectNode platform = json.withArrayProperty("platforms").addObject();
    platform
        .put("platform", Platforms.text(one.platform()))
        .put("manifest", one.image().descriptor().digest().toString())
        .put("index", index.map(found -> found.digest().toString()).orElse(""));
    long lazy = 0;
    long all = 0;
    for (Descriptor layer : one.image().manifest().layers()) {
      Optional<String> whyNot = whyNot(layer, ztocs.get(layer.digest()), index.isPresent());
      all += layer.size();
      lazy += whyNot.isEmpty() ? layer.size() : 0;
      lines.add(
          "  "
              + (whyNot.isEmpty() ? "lazy      " : "download  ")
              + layer.digest()
              + "  "
              + Sizes.megabytes(layer.size())
              + whyNot.map(why -> "  " + why).orElse(""));
      platform
          .withArrayProperty("layers")
          .addObject()
          .put("digest", layer.digest().toString())
          .put("size", layer.size())
          .put("lazy", whyNot.isEmpty())
          .put("why", whyNot.orElse(""));
    }
    lines.add(
        "  "
            + Sizes.megabytes(all - lazy)
            + " of "
            + Sizes.megabytes(all)
            + " are downloaded before the start; "
            + Sizes.share(lazy, all)
            + " can be read lazily");
  }

  private static String source(Optional<Found> index) {
    return index
        .map(found ->
            switch (found.index().version()) {
              case V2 -> "index " + found.digest() + " (v2: the image names it)";
              case V1 ->
                  "index "
                      + found.digest()
                      + " (v1: it refers to the image; the existing snapshotter looks for it only"
                      + " with soci_v1 enabled)";
            })
        .orElse("no SOCI index: every layer is downloaded; make one with soci index create");
  }

  private Optional<String> whyNot(Descriptor layer, @Nullable LayerZtoc ztoc, boolean indexed)
      throws IOException {
    if (ztoc != null) {
      return switch (new LayerCheck(image, /* readsLayers= */ false).check(ztoc, layer)) {
        case LayerCheck.Verdict.Wrong(String why) -> Optional.of(why);
        case LayerCheck.Verdict.Fits fits -> fits.whyUnpacked().map(why -> fits.note());
      };
    }
    if (!indexed) {
      return Optional.of("the image has no index");
    }
    LayerPolicy policy = new LayerPolicy(SociTerms.DEFAULT_MIN_LAYER_SIZE);
    return Optional.of(
        policy.decide(layer) instanceof LayerPolicy.Decision.LeftOut(String reason)
            ? reason
            : "its index has no zTOC of it: it was built with another --min-layer-size, or the"
                + " layer's bytes can't be indexed; soci index create says which");
  }
}
