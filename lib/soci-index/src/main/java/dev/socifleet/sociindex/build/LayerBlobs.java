package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Descriptor;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Where the layers of an image are. Thread-safe. */
@FunctionalInterface
public interface LayerBlobs {
  /**
   * A layer's bytes from the first to the last; empty where there is no such blob. Reading to the
   * end checks size and digest, and fails if they aren't the descriptor's ({@link DigestCheck}).
   */
  Optional<InputStream> open(Descriptor layer) throws IOException;
}
