package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.Platform;
import java.util.List;

/**
 * The image of one platform, as the registry has it.
 *
 * @param documents from what the reference names down to the image manifest: one document, or an
 *     index (or more) and the manifest
 * @param config the manifest's config
 * @param platform for which it was found
 */
record FoundImage(
    List<Document> documents,
    ImageManifest manifest,
    Document config,
    List<ImageLayer> layers,
    Platform platform) {
  /**
   * A small blob.
   *
   * @param kind {@code index}, {@code manifest} or {@code config}
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Document(Kind kind, Descriptor descriptor, byte[] bytes) {}

  enum Kind {
    INDEX,
    MANIFEST,
    CONFIG
  }

  FoundImage {
    documents = List.copyOf(documents);
    layers = List.copyOf(layers);
  }

  /** What the image's name points at: an index or the manifest. */
  Descriptor target() {
    return documents.getFirst().descriptor();
  }

  Document manifestDocument() {
    return documents.getLast();
  }

  /** The compressed size of all layers in bytes. */
  long bytes() {
    return layers.stream().mapToLong(layer -> layer.blob().size()).sum();
  }
}
