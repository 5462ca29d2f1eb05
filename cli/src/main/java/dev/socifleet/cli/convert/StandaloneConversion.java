package dev.socifleet.cli.convert;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.NoSpace;
import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.layout.ImageLayout;
import dev.socifleet.cli.layout.LayoutDocuments;
import dev.socifleet.cli.layout.LayoutDraft;
import dev.socifleet.cli.layout.LayoutOutput;
import dev.socifleet.cli.layout.LayoutRoot;
import dev.socifleet.cli.layout.Place;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import dev.socifleet.sociindex.build.DigestCheck;
import dev.socifleet.sociindex.build.ZtocStore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Converts a layout to another, without containerd. A layer is read where it lies; the new blobs go
 * to a draft, and everything to its place at the end, so that a failure or a signal leaves nothing.
 */
final class StandaloneConversion {
  private final BuildOutput output;

  StandaloneConversion(BuildOutput output) {
    this.output = output;
  }

  ConversionResult run(Path input, LayoutOutput destination, ConversionRequest request)
      throws IOException {
    LayoutDraft.sweep(destination.path());
    destination.check();
    ImageLayout layout = ImageLayout.open(input);
    LayoutRoot root = LayoutRoot.of(layout);
    try (LayoutDraft draft = LayoutDraft.beside(destination.path())) {
      ConversionResult result =
          new ImageConversion(
                  new LayoutDocuments(layout, root.platform()),
                  layer -> open(layout, layer),
                  new DraftZtocs(draft),
                  output)
              .convert(root.blob(), request);
      keep(result, draft);
      checkLayers(result, layout);
      destination.commit(draft, layout, result.root());
      return result;
    } catch (IOException e) {
      throw NoSpace.at(destination.path(), e);
    }
  }

  private static Optional<InputStream> open(ImageLayout layout, Descriptor layer)
      throws IOException {
    Optional<Place> place = layout.find(layer.digest());
    return place.isEmpty()
        ? Optional.empty()
        : Optional.of(new DigestCheck(place.get().open(), layer));
  }

  private static void keep(ConversionResult result, LayoutDraft draft) throws IOException {
    draft.put(SociTerms.emptyConfigDigest(), SociTerms.emptyConfig());
    for (Indexed index : result.indexes()) {
      draft.put(index.index().digest(), index.index().bytes());
    }
    for (ManifestBlob manifest : result.converted().manifests()) {
      draft.put(manifest.digest(), manifest.bytes());
    }
    draft.put(result.converted().root().digest(), result.converted().root().bytes());
  }

  /** The converted images must be whole: a layer too small for a zTOC wasn't looked at yet. */
  private static void checkLayers(ConversionResult result, ImageLayout layout) throws IOException {
    for (ManifestBlob blob : result.converted().manifests()) {
      ImageManifest manifest = OciJson.manifest(blob.bytes());
      if (!manifest.annotations().containsKey(SociTerms.INDEX_DIGEST_KEY)) {
        continue;
      }
      for (Descriptor layer : manifest.layers()) {
        if (layer.urls().isEmpty() && layout.find(layer.digest()).isEmpty()) {
          throw new CommandFailure(
              "layer " + layer.digest() + " isn't in the layout; copy the whole image into it");
        }
      }
    }
  }

  /** zTOCs in the draft. Earlier ones are not looked for: nothing says that they fit. */
  private record DraftZtocs(LayoutDraft draft) implements ZtocStore {
    @Override
    public Optional<Known> find(Digest layer, long spanSize) {
      return Optional.empty();
    }

    @Override
    public void putZtoc(Digest layer, long spanSize, Digest ztoc, byte[] bytes) throws IOException {
      draft.put(ztoc, bytes);
    }

    @Override
    public void putPrefetch(Digest layer, Digest artifact, byte[] bytes) throws IOException {
      draft.put(artifact, bytes);
    }

    @Override
    public byte[] read(Known ztoc) throws IOException {
      Place place =
          draft
              .find(ztoc.ztoc())
              .orElseThrow(() -> new IOException("zTOC " + ztoc.ztoc() + " isn't there any more"));
      try (InputStream in = place.open()) {
        return in.readAllBytes();
      }
    }
  }
}
