package dev.socifleet.cli.store;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.OciJson;
import dev.socifleet.sociindex.ImageTree;
import dev.socifleet.sociindex.build.DigestCheck;
import dev.socifleet.sociindex.build.LayerBlobs;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** An image's documents and layers in containerd's content store. Thread-safe. */
public final class ContainerdImage implements ImageTree.Documents, LayerBlobs {
  private final ContentStore content;

  public ContainerdImage(ContentStore content) {
    this.content = content;
  }

  /** What an image record points at. */
  public ManifestBlob target(Image image) throws IOException {
    Digest digest = Digest.parse(image.getTarget().getDigest());
    return manifest(digest)
        .orElseThrow(() ->
            new CommandFailure(
                "the content of "
                    + image.getName()
                    + " isn't complete: "
                    + digest
                    + " is missing; pull it with all its content"));
  }

  @Override
  public Optional<ManifestBlob> manifest(Digest digest) throws IOException {
    if (content.info(digest.toString()).isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes = content.read(digest.toString(), OciJson.LARGEST_MANIFEST);
    return Optional.of(new ManifestBlob(OciJson.mediaTypeOf(bytes), digest, bytes));
  }

  @Override
  public byte[] config(Descriptor config) throws IOException {
    return content.read(config.digest().toString(), ImageTree.LARGEST_CONFIG);
  }

  @Override
  public Optional<InputStream> open(Descriptor layer) throws IOException {
    return content.info(layer.digest().toString()).isEmpty()
        ? Optional.empty()
        : Optional.of(new DigestCheck(content.open(layer.digest().toString()), layer));
  }
}
