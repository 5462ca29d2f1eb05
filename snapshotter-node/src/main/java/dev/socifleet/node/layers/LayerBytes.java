package dev.socifleet.node.layers;

import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.util.List;

/**
 * Where compressed spans come from when the node doesn't have them: fetch-cache, else the registry.
 */
public interface LayerBytes {
  /** One span: its compressed range and the sha256 of those bytes. */
  record SpanRange(Digest span, ByteRange range) {}

  /** Verified spans, in the order asked for. */
  @FunctionalInterface
  interface Sink {
    void accept(SpanRange span, byte[] bytes) throws IOException;
  }

  /** Neighbouring spans of one layer, as one request where that is possible. */
  void fetch(RepositoryName repository, Digest layer, List<SpanRange> spans, Sink sink)
      throws IOException;
}
