package dev.socifleet.cli.convert;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.ArtifactStore;
import dev.socifleet.cli.store.CataloguedZtocs;
import dev.socifleet.cli.store.ContainerdImage;
import dev.socifleet.cli.store.GcLabels;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.cli.store.MirroredArtifacts;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.containerd.types.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;

/**
 * Converts an image of containerd's to another. The new image is whole in containerd, so that any
 * client can push it; with the soci store, indexes and zTOCs are there too.
 */
final class ContainerdConversion {
  private final LocalStores stores;
  private final BuildOutput output;

  ContainerdConversion(LocalStores stores, BuildOutput output) {
    this.stores = stores;
    this.output = output;
  }

  ConversionResult run(String source, String destination, ConversionRequest request)
      throws IOException {
    checkTagged(destination);
    Image image = stores.image(source);
    stores.hold();
    ContainerdImage content = new ContainerdImage(stores.content());
    ArtifactStore artifacts =
        stores.keepsArtifactsInADirectory()
            ? new MirroredArtifacts(stores.artifacts(), stores.containerdArtifacts())
            : stores.artifacts();
    ConversionResult result =
        new ImageConversion(
                content, content, new CataloguedZtocs(artifacts, stores.catalogue()), output)
            .convert(content.target(image), request);
    keep(result, artifacts);
    stores
        .images()
        .put(
            destination,
            Descriptor.newBuilder()
                .setMediaType(result.root().mediaType())
                .setDigest(result.root().digest().toString())
                .setSize(result.root().size())
                .build());
    return result;
  }

  private static void checkTagged(String reference) {
    if (reference.contains("@") || reference.lastIndexOf(':') <= reference.lastIndexOf('/')) {
      throw new CommandFailure(
          "the destination image must be a tagged ref of the form \"registry/repository:tag\", not '"
              + reference
              + "'");
    }
  }

  private void keep(ConversionResult result, ArtifactStore artifacts) throws IOException {
    ArtifactStore containerd = stores.containerdArtifacts();
    artifacts.put(SociTerms.emptyConfigDigest(), SociTerms.emptyConfig(), Map.of());
    for (Indexed one : result.indexes()) {
      ManifestBlob index = one.index();
      artifacts.put(index.digest(), index.bytes(), GcLabels.of(SociIndex.read(index.bytes())));
      catalogue(one, result);
    }
    for (ManifestBlob manifest : result.converted().manifests()) {
      containerd.put(
          manifest.digest(), manifest.bytes(), GcLabels.of(OciJson.manifest(manifest.bytes())));
    }
    ManifestBlob root = result.converted().root();
    containerd.put(root.digest(), root.bytes(), GcLabels.of(OciJson.index(root.bytes())));
  }

  private void catalogue(Indexed one, ConversionResult result) throws IOException {
    Digest manifest = result.converted().replaced().getOrDefault(one.manifest(), one.manifest());
    stores
        .catalogue()
        .put(
            new Artifact(
                one.index().digest(),
                one.index().bytes().length,
                Artifact.Type.INDEX,
                one.index().mediaType(),
                SociTerms.V2_TYPE,
                manifest,
                result.root().digest().toString(),
                Platforms.text(one.platform()),
                0,
                Instant.now()));
  }
}
