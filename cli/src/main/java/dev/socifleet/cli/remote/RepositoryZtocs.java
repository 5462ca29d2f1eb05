package dev.socifleet.cli.remote;

import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.build.ZtocStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalLong;

/** zTOCs straight to the repository, and those that it has already. Thread-safe. */
public final class RepositoryZtocs implements ZtocStore {
  private static final long LARGEST_ZTOC = 256L << 20;

  private final Repository repository;
  private final KnownZtocs known;

  public RepositoryZtocs(Repository repository, KnownZtocs known) {
    this.repository = repository;
    this.known = known;
  }

  @Override
  public Optional<Known> find(Digest layer, long spanSize) throws IOException {
    Optional<LayerZtoc> found = known.of(layer, spanSize);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    OptionalLong size = repository.blobSize(found.get().ztoc());
    return size.isPresent() && size.getAsLong() == found.get().ztocSize()
        ? Optional.of(new Known(found.get().ztoc(), found.get().ztocSize()))
        : Optional.empty();
  }

  @Override
  public void putZtoc(Digest layer, long spanSize, Digest ztoc, byte[] bytes) throws IOException {
    repository.putBlob(ztoc, bytes.length, BlobContent.of(bytes));
  }

  @Override
  public void putPrefetch(Digest layer, Digest artifact, byte[] bytes) throws IOException {
    repository.putBlob(artifact, bytes.length, BlobContent.of(bytes));
  }

  @Override
  public byte[] read(Known ztoc) throws IOException {
    if (ztoc.size() > LARGEST_ZTOC) {
      throw new IOException(
          "zTOC "
              + ztoc.ztoc()
              + " has "
              + ztoc.size()
              + " bytes; more than "
              + LARGEST_ZTOC
              + " aren't read");
    }
    try (InputStream body = repository.openBlob(ztoc.ztoc())) {
      return body.readNBytes((int) LARGEST_ZTOC);
    }
  }
}
