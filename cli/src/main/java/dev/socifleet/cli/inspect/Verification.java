package dev.socifleet.cli.inspect;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.IndexDiscovery.Found;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Looks whether the indexes of an image fit it. */
final class Verification {
  private final RemoteImage image;
  private final LayerCheck check;
  private final Consumer<String> lines;
  private final Map<LayerZtoc, LayerCheck.Verdict> known = new HashMap<>();
  private final ObjectNode json = new JsonMapper().createObjectNode();
  private int indexes;
  private int problems;

  Verification(RemoteImage image, boolean readsLayers, Consumer<String> lines) {
    this.image = image;
    this.lines = lines;
    check = new LayerCheck(image, readsLayers);
    json.put("image", image.reference().toString())
        .put("digest", image.target().digest().toString());
  }

  int indexes() {
    return indexes;
  }

  int problems() {
    return problems;
  }

  int ztocs() {
    return known.size();
  }

  ObjectNode json() {
    return json.put("indexes", indexes).put("ztocs", known.size()).put("problems", problems);
  }

  void run(List<Chosen> chosen) throws IOException {
    for (Chosen one : chosen) {
      ImageIndexes found = ImageIndexes.of(image, one);
      String platform = Platforms.text(one.platform());
      if (found.used().isEmpty()) {
        lines.accept(platform + ": no SOCI index; make one with soci index create");
      }
      if (found.v2().isPresent()) {
        index(one, "v2", found.v2().get());
      }
      if (found.v1().isPresent()) {
        index(one, "v1", found.v1().get());
      }
      if (found.v1().isPresent() && found.v2().isPresent()) {
        compare(platform, found.v1().get(), found.v2().get());
      }
    }
  }

  private void index(Chosen one, String version, Found found) throws IOException {
    indexes++;
    lines.accept(Platforms.text(one.platform()) + ": " + version + " index " + found.digest());
    Map<Digest, Descriptor> layers = new HashMap<>();
    one.image().manifest().layers().forEach(layer -> layers.put(layer.digest(), layer));
    for (LayerZtoc ztoc : found.index().ztocs()) {
      Descriptor layer = layers.get(ztoc.layer());
      if (layer == null) {
        problem("layer " + ztoc.layer(), "the index has a zTOC of it, the image hasn't");
        continue;
      }
      LayerCheck.Verdict verdict = known.get(ztoc);
      if (verdict == null) {
        verdict = check.check(ztoc, layer);
        known.put(ztoc, verdict);
      }
      switch (verdict) {
        case LayerCheck.Verdict.Fits fits ->
            lines.accept("  ok    layer " + layer.digest() + ": " + fits.note());
        case LayerCheck.Verdict.Wrong(String why) -> problem("layer " + layer.digest(), why);
      }
    }
    Optional<Descriptor> subject = Optional.ofNullable(found.index().subject());
    if (subject.isPresent() && !subject.get().digest().equals(one.image().descriptor().digest())) {
      problem("the index", "its subject is another manifest, " + subject.get().digest());
    }
  }

  private void compare(String platform, Found v1, Found v2) {
    Set<LayerZtoc> first = new HashSet<>(v1.index().ztocs());
    Set<LayerZtoc> second = new HashSet<>(v2.index().ztocs());
    lines.accept(
        platform
            + (first.equals(second)
                ? ": v1 and v2 have the same zTOCs"
                : ": v1 and v2 have different zTOCs, though each may fit"));
  }

  private void problem(String what, String why) {
    problems++;
    lines.accept("  WRONG " + what + ": " + why);
    json.withArrayProperty("wrong").addObject().put("what", what).put("why", why);
  }
}
