package dev.socifleet.cli.convert;

import dev.socifleet.cli.build.BuildOutput;
import dev.socifleet.cli.build.IndexOptions;
import dev.socifleet.cli.build.PlatformOptions;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.sociindex.ImageTree;
import dev.socifleet.sociindex.PlatformChoice.Chosen;
import dev.socifleet.sociindex.SociIndex;
import dev.socifleet.sociindex.V2Conversion;
import dev.socifleet.sociindex.V2Conversion.Indexed;
import dev.socifleet.sociindex.build.IndexBuilder;
import dev.socifleet.sociindex.build.LayerBlobs;
import dev.socifleet.sociindex.build.ZtocStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Makes the v2 indexes of an image and the image that carries them, wherever its blobs are. */
final class ImageConversion {
  private final ImageTree.Documents documents;
  private final LayerBlobs layers;
  private final ZtocStore ztocs;
  private final BuildOutput output;

  ImageConversion(
      ImageTree.Documents documents, LayerBlobs layers, ZtocStore ztocs, BuildOutput output) {
    this.documents = documents;
    this.layers = layers;
    this.ztocs = ztocs;
    this.output = output;
  }

  /** The zTOCs are kept; the documents of the result are the caller's to keep. */
  ConversionResult convert(ManifestBlob target, ConversionRequest request) throws IOException {
    List<Chosen> chosen = PlatformOptions.chosen(request.platforms(), target, documents);
    output.expect(chosen, request.rules().minLayerSize());
    IndexBuilder builder = new IndexBuilder(layers, ztocs, request.rules(), output);
    List<Indexed> indexed = new ArrayList<>();
    for (Chosen image : chosen) {
      IndexBuilder.Parts parts = builder.build(image.image().manifest());
      if (!parts.ztocs().isEmpty()) {
        ManifestBlob index =
            SociIndex.v2(parts.ztocs()).withPrefetches(parts.prefetches()).manifest();
        indexed.add(new Indexed(image.image().descriptor().digest(), image.platform(), index));
      }
    }
    if (indexed.isEmpty()) {
      throw IndexOptions.nothingIndexed();
    }
    return new ConversionResult(
        target.digest(), V2Conversion.convert(target, documents, indexed), indexed);
  }
}
