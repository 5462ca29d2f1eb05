package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.ContainerdImage;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.ImageTree;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The zTOCs that were built on this machine. */
public record StoredZtocs(LocalStores stores) {
  private static final int LARGEST = 512 << 20;

  /** The bytes of one of them. */
  public byte[] read(String digest) throws IOException {
    return stores.artifacts().read(find(digest).digest(), LARGEST);
  }

  /** The layer that one of them is of. */
  public Digest layerOf(String digest) throws IOException {
    return find(digest).of();
  }

  private Artifact find(String digest) throws IOException {
    return Digests.find(stores.catalogue(), digest, Artifact.Type.ZTOC);
  }

  /**
   * Prints them by digest.
   *
   * @param digest only this one
   * @param image only those of this image's layers
   */
  public void print(PrintWriter out, boolean quiet, @Nullable String digest, @Nullable String image)
      throws IOException {
    Set<Digest> layers = image == null ? Set.of() : layers(image);
    List<Artifact> all =
        stores.catalogue().all(Artifact.Type.ZTOC).stream()
            .filter(ztoc -> digest == null || ztoc.digest().toString().equals(digest))
            .filter(ztoc -> image == null || layers.contains(ztoc.of()))
            .sorted(Comparator.comparing(Artifact::digest))
            .toList();
    if (quiet) {
      all.forEach(ztoc -> out.println(ztoc.digest()));
      out.flush();
      return;
    }
    Table table = new Table("DIGEST", "SIZE", "LAYER DIGEST");
    for (Artifact ztoc : all) {
      table.row(ztoc.digest().toString(), Long.toString(ztoc.size()), ztoc.of().toString());
    }
    table.print(out);
  }

  private Set<Digest> layers(String name) throws IOException {
    ContainerdImage content = new ContainerdImage(stores.content());
    Set<Digest> layers = new HashSet<>();
    for (ImageTree.PlatformImage image :
        ImageTree.read(content.target(stores.image(name)), content)) {
      for (Descriptor layer : image.manifest().layers()) {
        layers.add(layer.digest());
      }
    }
    return layers;
  }
}
