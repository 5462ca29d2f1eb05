package dev.socifleet.cli.create;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.ArtifactStore;
import dev.socifleet.cli.store.CataloguedZtocs;
import dev.socifleet.cli.store.ContainerdImage;
import dev.socifleet.cli.store.GcLabels;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.PlatformChoice;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.build.IndexBuilder;
import dev.socifleet.sociindex.build.IndexRules;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Builds v1 indexes of an image in containerd. Everything that is written is held by a lease until
 * the image record refers to it.
 */
final class IndexCreation {
  private final LocalStores stores;
  private final BuildOutput output;

  IndexCreation(LocalStores stores, BuildOutput output) {
    this.stores = stores;
    this.output = output;
  }

  void run(String name, PlatformChoice platforms, IndexRules rules) throws IOException {
    Image image = stores.image(name);
    stores.hold();
    ContainerdImage content = new ContainerdImage(stores.content());
    List<Chosen> chosen = PlatformOptions.chosen(platforms, content.target(image), content);
    ArtifactStore artifacts = stores.artifacts();
    IndexBuilder builder =
        new IndexBuilder(
            content, new CataloguedZtocs(artifacts, stores.catalogue()), rules, output);
    output.expect(chosen, rules.minLayerSize());
    ObjectNode json = new JsonMapper().createObjectNode().put("image", name);
    String last = "";
    for (Chosen one : chosen) {
      IndexBuilder.Parts parts = builder.build(one.image().manifest());
      if (!parts.ztocs().isEmpty()) {
        SociIndex index =
            SociIndex.v1(parts.ztocs(), one.image().descriptor())
                .withPrefetches(parts.prefetches());
        ManifestBlob blob = index.manifest();
        keep(index, blob, artifacts);
        catalogue(blob, one, image);
        stores.images().label(name, GcLabels.ofImage(blob.digest().toString(), one.platform()));
        last = blob.digest().toString();
        json.withArrayProperty("indexes")
            .addObject()
            .put("platform", Platforms.text(one.platform()))
            .put("manifest", one.image().descriptor().digest().toString())
            .put("index", last);
      }
    }
    if (last.isEmpty()) {
      throw IndexOptions.nothingIndexed();
    }
    output.result(last, json);
  }

  private static void keep(SociIndex index, ManifestBlob blob, ArtifactStore artifacts)
      throws IOException {
    artifacts.put(SociTerms.emptyConfigDigest(), SociTerms.emptyConfig(), Map.of());
    artifacts.put(blob.digest(), blob.bytes(), GcLabels.of(index));
  }

  private void catalogue(ManifestBlob index, Chosen of, Image image) throws IOException {
    stores
        .catalogue()
        .put(
            new Artifact(
                index.digest(),
                index.bytes().length,
                Artifact.Type.INDEX,
                index.mediaType(),
                SociTerms.V1_TYPE,
                of.image().descriptor().digest(),
                image.getTarget().getDigest(),
                Platforms.text(of.platform()),
                0,
                Instant.now()));
  }
}
