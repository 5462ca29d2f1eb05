package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A layout in a tar, with what the image refers to, sorted by name and without times, as
 * containerd's exporter writes it: the same image gives the same tar.
 */
public record ArchiveOutput(Path path) implements LayoutOutput {
  static final Set<StandardOpenOption> NEW_FILE =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);

  @Override
  public void check() {
    LayoutOutput.checkParent(path);
    if (Files.isDirectory(path)) {
      throw new CommandFailure(
          path + " is a directory; name a file, or write a directory with --format oci-dir");
    }
  }

  @Override
  public void commit(LayoutDraft draft, ImageLayout source, Descriptor root) throws IOException {
    TreeMap<String, Place> files = new TreeMap<>();
    collect(root, draft, source, files);
    Path tar = draft.scratch("image.tar");
    try (LayoutTar out = new LayoutTar(tar)) {
      write(out, files, root);
    }
    Files.move(tar, path, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Everything that can be reached from a descriptor and is there. */
  private static void collect(
      Descriptor descriptor, LayoutDraft draft, ImageLayout source, Map<String, Place> files)
      throws IOException {
    Digest digest = descriptor.digest();
    Optional<Place> place = draft.find(digest);
    if (place.isEmpty()) {
      place = source.find(digest);
    }
    if (place.isEmpty() || files.put(BlobNames.of(digest), place.get()) != null) {
      return;
    }
    if (MediaTypes.isIndex(descriptor.mediaType())) {
      for (Descriptor child : OciJson.index(document(place.get(), digest)).manifests()) {
        collect(child, draft, source, files);
      }
    } else if (MediaTypes.isManifest(descriptor.mediaType())) {
      ImageManifest manifest = OciJson.manifest(document(place.get(), digest));
      collect(manifest.config(), draft, source, files);
      for (Descriptor layer : manifest.layers()) {
        collect(layer, draft, source, files);
      }
    }
  }

  private static byte[] document(Place place, Digest digest) throws IOException {
    byte[] bytes = ImageLayout.small(place, OciJson.LARGEST_MANIFEST, "manifest " + digest);
    if (!digest.matches(bytes)) {
      throw new MalformedDocumentException("manifest " + digest + " is damaged");
    }
    return bytes;
  }

  private static void write(LayoutTar out, Map<String, Place> files, Descriptor root)
      throws IOException {
    out.directory("blobs/");
    String folder = "";
    for (Map.Entry<String, Place> file : files.entrySet()) {
      String of = file.getKey().substring(0, file.getKey().lastIndexOf('/') + 1);
      if (!of.equals(folder)) {
        folder = of;
        out.directory(folder);
      }
      out.file(file.getKey(), file.getValue());
    }
    out.file("index.json", LayoutOutput.index(root));
    out.file("oci-layout", LayoutOutput.marker());
    out.finish();
  }
}
