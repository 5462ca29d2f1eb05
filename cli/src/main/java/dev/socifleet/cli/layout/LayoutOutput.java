package dev.socifleet.cli.layout;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.ImageIndex;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.OciJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Where a layout is written to. It is there whole, or what was there before still is. */
public sealed interface LayoutOutput permits DirectoryOutput, ArchiveOutput {
  Path path();

  /**
   * Looks whether it can be written, before the work begins.
   *
   * @throws CommandFailure if not
   */
  void check() throws IOException;

  /** Puts the layout in its place: the draft's blobs, the source's blobs, and one root. */
  void commit(LayoutDraft draft, ImageLayout source, Descriptor root) throws IOException;

  /** {@code index.json} with one entry. */
  static byte[] index(Descriptor root) {
    return OciJson.write(new ImageIndex(MediaTypes.OCI_INDEX, "", List.of(root), null, Map.of()));
  }

  /** {@code oci-layout}. */
  static byte[] marker() {
    return "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);
  }

  /** Refuses a place that can't be written to. */
  static void checkParent(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    if (parent == null || (Files.exists(parent) && !Files.isWritable(parent))) {
      throw new CommandFailure("cannot write " + path + ": its directory isn't writable");
    }
  }
}
