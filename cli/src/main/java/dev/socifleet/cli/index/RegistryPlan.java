package dev.socifleet.cli.index;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.referrers.CopiedReferrers;
import dev.socifleet.cli.remote.KnownZtocs;
import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Platforms;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Says what {@link RegistryIndexing} would do; reads no layer and writes nothing. */
record RegistryPlan(Repository repository, BuildOutput output) {
  void print(RegistryIndexRequest request) throws IOException {
    RemoteImage image = RemoteImage.find(repository, request.image());
    LayerPolicy policy = new LayerPolicy(request.rules().minLayerSize());
    KnownZtocs known = new KnownZtocs(repository, image.target());
    ObjectNode json = new JsonMapper().createObjectNode();
    json.put("image", request.image().toString()).put("digest", image.target().digest().toString());
    for (Chosen one : image.chosen(request.platforms())) {
      output.line(Platforms.text(one.platform()) + " " + one.image().descriptor().digest());
      for (Descriptor layer : one.image().manifest().layers()) {
        String fate = fate(layer, policy, known, request);
        output.line("  layer " + layer.digest() + " (" + layer.size() + " bytes): " + fate);
        json.withArrayProperty("layers")
            .addObject()
            .put("platform", Platforms.text(one.platform()))
            .put("digest", layer.digest().toString())
            .put("size", layer.size())
            .put("plan", fate);
      }
    }
    if (request.v1()) {
      output.line("would publish v1 indexes as referrers");
    }
    request
        .v2Tag()
        .ifPresent(tag -> output.line("would publish v2 image " + repository.name() + ":" + tag));
    if (request.referrers().isPresent()) {
      Set<Digest> subjects = new LinkedHashSet<>();
      image
          .chosen(request.platforms())
          .forEach(one -> subjects.add(one.image().descriptor().digest()));
      subjects.add(image.target().digest());
      new CopiedReferrers(output, json.putArray("referrers"))
          .plan(repository, request.referrers().get(), subjects);
    }
    output.result(image.target().digest().toString(), json);
  }

  private static String fate(
      Descriptor layer, LayerPolicy policy, KnownZtocs known, RegistryIndexRequest request) {
    if (policy.decide(layer) instanceof LayerPolicy.Decision.LeftOut(String reason)) {
      return "skipped, " + reason;
    }
    Optional<LayerZtoc> there =
        request.rules().force()
            ? Optional.empty()
            : known.of(layer.digest(), request.rules().spanSize());
    return there.map(ztoc -> "has ztoc " + ztoc.ztoc()).orElse("would be read and indexed");
  }
}
