package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which image a layout holds, as the existing tool sees it: index.json's only entry, or index.json
 * itself where it has several. Manifests that aren't there don't count; an index with one manifest
 * is that manifest.
 *
 * @param platform what the entry of a single manifest says of it
 */
public record LayoutRoot(ManifestBlob blob, Optional<Platform> platform) {
  private static final int DEEPEST = 8;

  public static LayoutRoot of(ImageLayout layout) throws IOException {
    LayoutDocuments documents = new LayoutDocuments(layout);
    byte[] bytes = layout.index();
    return narrowed(
        new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(bytes), bytes),
        Optional.empty(),
        documents,
        1);
  }

  private static LayoutRoot narrowed(
      ManifestBlob blob, Optional<Platform> stated, LayoutDocuments documents, int depth)
      throws IOException {
    if (!MediaTypes.isIndex(blob.mediaType()) || depth > DEEPEST) {
      return new LayoutRoot(blob, stated);
    }
    ImageIndex index = OciJson.index(blob.bytes());
    List<Descriptor> present = new ArrayList<>();
    ManifestBlob last = blob;
    for (Descriptor entry : index.manifests()) {
      Optional<ManifestBlob> child = documents.manifest(entry.digest());
      if (child.isPresent()) {
        present.add(entry);
        last = child.get();
      }
    }
    if (present.isEmpty()) {
      throw new CommandFailure(
          depth == 1
              ? "the layout's index.json lists no manifest that is in it"
              : "no manifest of index " + blob.digest() + " is in the layout");
    }
    if (present.size() == 1) {
      return narrowed(
          last, Optional.ofNullable(present.getFirst().platform()), documents, depth + 1);
    }
    if (present.size() == index.manifests().size()) {
      return new LayoutRoot(blob, Optional.empty());
    }
    byte[] bytes =
        OciJson.write(
            new ImageIndex(
                MediaTypes.OCI_INDEX,
                index.artifactType(),
                present,
                index.subject(),
                index.annotations()));
    return new LayoutRoot(
        new ManifestBlob(MediaTypes.OCI_INDEX, Digest.of(bytes), bytes), Optional.empty());
  }
}
