package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.oci.MalformedDocumentException;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * A layout in a tar, with what the image refers to, sorted by name and without times, as
 * containerd's exporter writes it: the same image gives the same tar.
 */
public record ArchiveOutput(Path path) implements LayoutOutput {
  static final Set<StandardOpenOption> NEW_FILE =
      Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);

  private static final int DIRECTORY_MODE = 040755;
  private static final int FILE_MODE = 0100444;

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
    try (TarArchiveOutputStream out =
        new TarArchiveOutputStream(
            Channels.newOutputStream(Files.newByteChannel(tar, NEW_FILE)), "UTF-8")) {
      out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
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

  private static void write(TarArchiveOutputStream out, Map<String, Place> files, Descriptor root)
      throws IOException {
    directory(out, "blobs/");
    String folder = "";
    for (Map.Entry<String, Place> file : files.entrySet()) {
      String of = file.getKey().substring(0, file.getKey().lastIndexOf('/') + 1);
      if (!of.equals(folder)) {
        folder = of;
        directory(out, folder);
      }
      out.putArchiveEntry(entry(file.getKey(), file.getValue().size()));
      try (InputStream in = file.getValue().open()) {
        copy(in, out);
      }
      out.closeArchiveEntry();
    }
    file(out, "index.json", LayoutOutput.index(root));
    file(out, "oci-layout", LayoutOutput.marker());
  }

  /** In large pieces: tar streams gather what is written into records of 512 bytes. */
  private static void copy(InputStream in, OutputStream out) throws IOException {
    byte[] piece = new byte[1 << 20];
    for (int n = in.read(piece); n > 0; n = in.read(piece)) {
      out.write(piece, 0, n);
    }
  }

  private static void directory(TarArchiveOutputStream out, String name) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(DIRECTORY_MODE);
    entry.setModTime(0);
    out.putArchiveEntry(entry);
    out.closeArchiveEntry();
  }

  private static void file(TarArchiveOutputStream out, String name, byte[] bytes)
      throws IOException {
    out.putArchiveEntry(entry(name, bytes.length));
    out.write(bytes);
    out.closeArchiveEntry();
  }

  private static TarArchiveEntry entry(String name, long size) {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setMode(FILE_MODE);
    entry.setModTime(0);
    entry.setSize(size);
    return entry;
  }
}
