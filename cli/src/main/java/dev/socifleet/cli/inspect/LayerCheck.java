package dev.socifleet.cli.inspect;

import dev.socifleet.cli.remote.RemoteImage;
import dev.socifleet.cli.remote.RepositoryLayers;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether a zTOC fits its layer. The layer is read once and its zTOC built anew: the same bytes
 * mean that every checkpoint, span digest and file is right. Where another tool's bytes differ,
 * spans, checkpoints and files are compared one by one.
 */
final class LayerCheck {
  private static final long LARGEST_ZTOC = ZtocOptions.DEFAULT_MAX_ZTOC_BYTES;

  private static final int WINDOW = 32 << 10;

  private final RemoteImage image;
  private final boolean readsLayers;

  LayerCheck(RemoteImage image, boolean readsLayers) {
    this.image = image;
    this.readsLayers = readsLayers;
  }

  /** What was found. */
  sealed interface Verdict {
    /**
     * It fits.
     *
     * @param size how much it holds
     * @param whyUnpacked why a node unpacks the layer in spite of it
     */
    record Fits(String size, Optional<String> whyUnpacked) implements Verdict {
      /** What is worth knowing. */
      String note() {
        return size + whyUnpacked.map(why -> "; must be unpacked: " + why).orElse("");
      }
    }

    /** It doesn't, and why. */
    record Wrong(String why) implements Verdict {}
  }

  Verdict check(LayerZtoc entry, Descriptor layer) throws IOException {
    OptionalLong size = image.repository().blobSize(entry.ztoc());
    if (size.isEmpty()) {
      return new Verdict.Wrong("its zTOC isn't in the repository");
    }
    if (size.getAsLong() != entry.ztocSize() || entry.ztocSize() > LARGEST_ZTOC) {
      return new Verdict.Wrong(
          "its zTOC has "
              + size.getAsLong()
              + " bytes, the index says "
              + entry.ztocSize()
              + ", and "
              + LARGEST_ZTOC
              + " are allowed");
    }
    byte[] bytes;
    try (InputStream body = image.repository().openBlob(entry.ztoc())) {
      bytes = body.readNBytes((int) LARGEST_ZTOC + 1);
    }
    try {
      return check(Ztoc.parse(bytes), bytes, entry, layer);
    } catch (MalformedZtocException e) {
      return new Verdict.Wrong("its zTOC can't be read: " + e.getMessage());
    }
  }

  private Verdict check(Ztoc ztoc, byte[] bytes, LayerZtoc entry, Descriptor layer)
      throws IOException {
    if (ztoc.compressedSize() != layer.size()) {
      return new Verdict.Wrong(
          "its zTOC is of a layer of "
              + ztoc.compressedSize()
              + " bytes, the layer has "
              + layer.size());
    }
    if (ztoc.spanSize() != entry.spanSize()) {
      return new Verdict.Wrong(
          "its zTOC has span size " + ztoc.spanSize() + ", the index says " + entry.spanSize());
    }
    Optional<String> difference =
        readsLayers ? difference(ztoc, bytes, entry, layer) : Optional.empty();
    if (difference.isPresent()) {
      return new Verdict.Wrong(difference.get());
    }
    return new Verdict.Fits(
        ztoc.spanCount() + " spans, " + ztoc.toc().size() + " files", ztoc.whyUnservable());
  }

  private Optional<String> difference(Ztoc ztoc, byte[] bytes, LayerZtoc entry, Descriptor layer)
      throws IOException {
    Optional<InputStream> blob = new RepositoryLayers(image.repository()).open(layer);
    if (blob.isEmpty()) {
      return Optional.of("the layer isn't in the repository");
    }
    Compression compression =
        new LayerPolicy(0).decide(layer) instanceof LayerPolicy.Decision.Tar
            ? Compression.UNCOMPRESSED
            : Compression.GZIP;
    ZtocOutcome outcome;
    try (InputStream in = blob.get()) {
      outcome =
          ZtocBuilder.build(
              in,
              compression,
              new ZtocOptions(
                  ztoc.spanSize(), ztoc.buildTool(), LARGEST_ZTOC, (read, files) -> {}));
    }
    return switch (outcome) {
      case ZtocOutcome.NotIndexable(String reason) ->
          Optional.of("no zTOC can be of this layer: " + reason);
      case ZtocOutcome.Built built ->
          Digest.parse(built.digest()).equals(entry.ztoc())
              ? Optional.empty()
              : difference(ztoc, bytes, Ztoc.parse(built.bytes()), built.bytes());
    };
  }

  private static Optional<String> difference(
      Ztoc there, byte[] bytes, Ztoc right, byte[] rightBytes) {
    if (there.spanCount() != right.spanCount()) {
      return Optional.of("its zTOC has " + there.spanCount() + " spans, not " + right.spanCount());
    }
    for (int i = 0; i < right.spanCount(); i++) {
      if (there.span(i).compressedStart() != right.span(i).compressedStart()
          || there.span(i).uncompressedStart() != right.span(i).uncompressedStart()
          || there.span(i).bits() != right.span(i).bits()
          || !Arrays.equals(there.span(i).sha256(), right.span(i).sha256())
          || !Arrays.equals(window(there, bytes, i), window(right, rightBytes, i))) {
        return Optional.of("span " + i + " of its zTOC isn't the layer's");
      }
    }
    Toc files = there.toc();
    if (files.size() != right.toc().size()) {
      return Optional.of("its zTOC has " + files.size() + " files, not " + right.toc().size());
    }
    for (int i = 0; i < files.size(); i++) {
      if (!Arrays.equals(files.name(i), right.toc().name(i))
          || files.offset(i) != right.toc().offset(i)
          || files.length(i) != right.toc().length(i)
          || files.type(i) != right.toc().type(i)) {
        return Optional.of("file '" + files.nameText(i) + "' of its zTOC isn't the layer's");
      }
    }
    return Optional.empty();
  }

  /** The output before a span, by which it is decoded. */
  private static byte[] window(Ztoc ztoc, byte[] bytes, int span) {
    int from = ztoc.windowOffset(span);
    return from < 0 ? new byte[WINDOW] : Arrays.copyOfRange(bytes, from, from + WINDOW);
  }
}
