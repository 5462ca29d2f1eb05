package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.store.Artifact;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.sociindex.PrefetchArtifact;
import java.io.IOException;
import java.util.Optional;

/** Reads prefetch artifacts. */
final class StoredPrefetch {
  private static final int LARGEST = 4 << 20;

  private StoredPrefetch() {}

  static PrefetchArtifact read(LocalStores stores, Artifact artifact) throws IOException {
    return PrefetchArtifact.read(bytes(stores, artifact));
  }

  static byte[] bytes(LocalStores stores, Artifact artifact) throws IOException {
    return stores.artifacts().read(artifact.digest(), LARGEST);
  }

  /** Empty where it can't be read. */
  static Optional<PrefetchArtifact> tryRead(LocalStores stores, Artifact artifact) {
    try {
      return Optional.of(read(stores, artifact));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
