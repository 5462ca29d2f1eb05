package dev.socifleet.cli.layout;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import dev.socifleet.sociindex.ImageTree;
import java.io.IOException;
import java.util.Optional;

/** Manifests and configs of a layout, each checked against its digest. */
public final class LayoutDocuments implements ImageTree.Documents {
  private final ImageLayout layout;
  private final Optional<Platform> stated;

  public LayoutDocuments(ImageLayout layout) {
    this(layout, Optional.empty());
  }

  /**
   * @param stated the platform of the layout's only image, where its entry says one
   */
  public LayoutDocuments(ImageLayout layout, Optional<Platform> stated) {
    this.layout = layout;
    this.stated = stated;
  }

  @Override
  public Optional<Platform> platform(ImageManifest manifest) throws IOException {
    return stated.isPresent() ? stated : ImageTree.Documents.super.platform(manifest);
  }

  @Override
  public Optional<ManifestBlob> manifest(Digest digest) throws IOException {
    Optional<Place> place = layout.find(digest);
    if (place.isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes = read(digest, place.get(), OciJson.LARGEST_MANIFEST);
    return Optional.of(new ManifestBlob(OciJson.mediaTypeOf(bytes), digest, bytes));
  }

  @Override
  public byte[] config(Descriptor config) throws IOException {
    Place place =
        layout
            .find(config.digest())
            .orElseThrow(() -> new IOException("image config " + config.digest() + " isn't there"));
    return read(config.digest(), place, ImageTree.LARGEST_CONFIG);
  }

  private static byte[] read(Digest digest, Place place, int most) throws IOException {
    byte[] bytes = ImageLayout.small(place, most, "blob " + digest);
    if (!digest.matches(bytes)) {
      throw new IOException("blob " + digest + " is damaged: its bytes have another digest");
    }
    return bytes;
  }
}
