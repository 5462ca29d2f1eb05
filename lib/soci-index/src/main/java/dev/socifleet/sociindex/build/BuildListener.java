package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;

/** Hears what becomes of each layer. Called from several threads. */
public interface BuildListener {
  /** How far reading a layer is: its first {@code bytes}, of the descriptor's size. */
  void reading(Descriptor layer, long bytes);

  void built(Descriptor layer, Digest ztoc);

  /** The zTOC was there already. */
  void reused(Descriptor layer, Digest ztoc);

  /** The layer is smaller than the rules ask for. */
  void tooSmall(Descriptor layer, long minLayerSize);

  /** No zTOC can be made of layers of its media type. */
  void unsupported(Descriptor layer);

  /** No zTOC can be made of its bytes. */
  void refused(Descriptor layer, String reason);

  void prefetch(Digest layer, Digest artifact);

  /** A file to prefetch is in no layer that has a zTOC. */
  void notFound(String path);
}
