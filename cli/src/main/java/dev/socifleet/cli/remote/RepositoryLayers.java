package dev.socifleet.cli.remote;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.build.LayerBlobs;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalLong;

/** Layers as a stream from the registry, which checks their digests; nothing is kept. */
public record RepositoryLayers(Repository repository) implements LayerBlobs {
  @Override
  public Optional<InputStream> open(Descriptor layer) throws IOException {
    OptionalLong size = repository.blobSize(layer.digest());
    if (size.isEmpty()) {
      return Optional.empty();
    }
    if (size.getAsLong() != layer.size()) {
      throw new IOException(
          "layer "
              + layer.digest()
              + " has "
              + size.getAsLong()
              + " bytes at the registry, its manifest says "
              + layer.size());
    }
    return Optional.of(repository.openBlob(layer.digest()));
  }
}
