package dev.socifleet.sociindex;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import dev.socifleet.oci.Platform;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The images in an image target: itself, or what its index and the indexes nested in it list.
 * Attestations, SOCI indexes, other artifacts and manifests that aren't there are passed over.
 */
public final class ImageTree {
  /** No image config is larger. */
  public static final int LARGEST_CONFIG = 4 << 20;

  private static final int MOST_IMAGES = 1000;

  /** Reads the documents of the image. */
  public interface Documents extends V2Conversion.Documents {
    /** An image config: at most {@link #LARGEST_CONFIG} bytes. */
    byte[] config(Descriptor config) throws IOException;

    @Override
    default Optional<Platform> platform(ImageManifest manifest) throws IOException {
      if (!ImageEntries.isImageConfig(manifest.config())) {
        return Optional.empty();
      }
      Platform platform = OciJson.platformOfConfig(config(manifest.config()));
      return platform.os().isEmpty() || platform.architecture().isEmpty()
          ? Optional.empty()
          : Optional.of(platform);
    }
  }

  /**
   * An image of one platform.
   *
   * @param descriptor of the manifest, as the index has it
   * @param platform the index entry's; where it has none, and of a single manifest, the config's
   */
  public record PlatformImage(Descriptor descriptor, ImageManifest manifest, Platform platform) {}

  private final Documents documents;
  private final List<PlatformImage> images = new ArrayList<>();

  private ImageTree(Documents documents) {
    this.documents = documents;
  }

  /** The images in the order in which they are listed; none of an artifact that is no image. */
  public static List<PlatformImage> read(ManifestBlob target, Documents documents)
      throws IOException {
    ImageTree tree = new ImageTree(documents);
    if (MediaTypes.isIndex(target.mediaType())) {
      tree.index(target, 1);
    } else {
      tree.image(Descriptor.of(target.mediaType(), target.digest(), target.bytes().length), target);
    }
    return List.copyOf(tree.images);
  }

  private void index(ManifestBlob index, int depth) throws IOException {
    for (Descriptor entry : OciJson.index(index.bytes()).manifests()) {
      if (!ImageEntries.isPlain(entry)) {
        continue;
      }
      Optional<ManifestBlob> child = documents.manifest(entry.digest());
      if (child.isEmpty()) {
        continue; // an image index of which only some platforms were copied
      }
      if (MediaTypes.isIndex(entry.mediaType())) {
        if (depth == ImageEntries.DEEPEST_INDEX) {
          throw new MalformedDocumentException(
              "image index " + entry.digest() + " is nested too deep");
        }
        index(child.get(), depth + 1);
      } else if (MediaTypes.isManifest(entry.mediaType())) {
        image(entry, child.get());
      }
      if (images.size() > MOST_IMAGES) {
        throw new MalformedDocumentException("an image index with over " + MOST_IMAGES + " images");
      }
    }
  }

  private void image(Descriptor descriptor, ManifestBlob blob) throws IOException {
    ImageManifest manifest = OciJson.manifest(blob.bytes());
    if (!ImageEntries.isImageConfig(manifest.config())) {
      return;
    }
    Platform stated = descriptor.platform();
    Optional<Platform> platform =
        stated == null ? documents.platform(manifest) : Optional.of(stated);
    platform.ifPresent(known -> images.add(new PlatformImage(descriptor, manifest, known)));
  }
}
