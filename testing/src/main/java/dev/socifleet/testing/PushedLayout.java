package dev.socifleet.testing;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Pushes the image of an OCI layout: blobs before manifests, manifests before indexes. */
public final class PushedLayout {
  private final Path layout;
  private final Repository repository;

  private PushedLayout(Path layout, Repository repository) {
    this.layout = layout;
    this.repository = repository;
  }

  /**
   * Pushes index.json's first entry under a tag.
   *
   * @return its digest
   */
  public static Digest push(Path layout, Repository repository, String tag) throws IOException {
    Descriptor root =
        OciJson.index(Files.readAllBytes(layout.resolve("index.json"))).manifests().getFirst();
    new PushedLayout(layout, repository).manifest(root, tag);
    return root.digest();
  }

  private byte[] bytes(Digest digest) throws IOException {
    return Files.readAllBytes(layout.resolve("blobs/" + digest.algorithm() + "/" + digest.hex()));
  }

  private void manifest(Descriptor descriptor, String reference) throws IOException {
    byte[] bytes = bytes(descriptor.digest());
    if (MediaTypes.isIndex(descriptor.mediaType())) {
      for (Descriptor child : OciJson.index(bytes).manifests()) {
        manifest(child, child.digest().toString());
      }
    } else {
      ImageManifest manifest = OciJson.manifest(bytes);
      blob(manifest.config());
      for (Descriptor layer : manifest.layers()) {
        blob(layer);
      }
    }
    repository.putManifest(reference, descriptor.mediaType(), bytes);
  }

  private void blob(Descriptor descriptor) throws IOException {
    if (!descriptor.urls().isEmpty()) {
      return; // a foreign layer, which registries don't have
    }
    byte[] bytes = bytes(descriptor.digest());
    repository.putBlob(descriptor.digest(), bytes.length, BlobContent.of(bytes));
  }
}
