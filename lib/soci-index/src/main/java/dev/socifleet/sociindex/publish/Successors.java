package dev.socifleet.sociindex.publish;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.Platforms;
import dev.socifleet.sociindex.ImageTree;
import dev.socifleet.sociindex.ImageTree.PlatformImage;
import dev.socifleet.sociindex.V2Conversion.Converted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which manifest of a converted image took the place of which. An image without an index has two:
 * its converted manifest, and the index that carries it, which is what its tag means now.
 */
public final class Successors {
  /** A manifest's old digest, and what is there now; never the same. */
  public record Successor(Digest old, Descriptor now) {}

  private Successors() {}

  /** Those of a conversion, the image as a whole last. */
  public static List<Successor> of(ManifestBlob target, Converted converted) {
    Map<Digest, ManifestBlob> written = new HashMap<>();
    converted.manifests().forEach(manifest -> written.put(manifest.digest(), manifest));
    List<Successor> all = new ArrayList<>();
    converted
        .replaced()
        .forEach((old, now) -> {
          ManifestBlob manifest = written.get(now);
          if (manifest != null) {
            add(all, old, manifest);
          }
        });
    add(all, target.digest(), converted.root());
    return List.copyOf(all);
  }

  /**
   * Those of two images of which one may have been made of the other: images with the same
   * platform, config and layers belong together.
   *
   * @return without any where none do
   */
  public static List<Successor> between(
      ManifestBlob source,
      ImageTree.Documents sources,
      ManifestBlob converted,
      ImageTree.Documents conversions)
      throws IOException {
    List<PlatformImage> now = ImageTree.read(converted, conversions);
    List<Successor> all = new ArrayList<>();
    boolean related = false;
    for (PlatformImage old : ImageTree.read(source, sources)) {
      for (PlatformImage candidate : now) {
        if (isMadeOf(old, candidate)) {
          related = true;
          add(all, old.descriptor().digest(), candidate.descriptor());
          break;
        }
      }
    }
    if (related) {
      add(all, source.digest(), converted);
    }
    return List.copyOf(all);
  }

  private static boolean isMadeOf(PlatformImage old, PlatformImage now) {
    return Platforms.same(old.platform(), now.platform())
        && old.manifest().config().digest().equals(now.manifest().config().digest())
        && digests(old).equals(digests(now));
  }

  private static List<Digest> digests(PlatformImage image) {
    return image.manifest().layers().stream().map(Descriptor::digest).toList();
  }

  private static void add(List<Successor> all, Digest old, ManifestBlob now) {
    add(all, old, Descriptor.of(now.mediaType(), now.digest(), now.bytes().length));
  }

  private static void add(List<Successor> all, Digest old, Descriptor now) {
    if (!now.digest().equals(old)) {
      all.add(new Successor(old, Descriptor.of(now.mediaType(), now.digest(), now.size())));
    }
  }
}
