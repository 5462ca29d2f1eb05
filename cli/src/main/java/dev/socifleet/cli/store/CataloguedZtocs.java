package dev.socifleet.cli.store;

import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.sociindex.build.ZtocStore;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** zTOCs in this machine's artifact store, found again through the catalogue. Thread-safe. */
public final class CataloguedZtocs implements ZtocStore {
  private static final int LARGEST_ZTOC = 512 << 20;

  private final ArtifactStore store;
  private final Catalogue catalogue;
  private @Nullable List<Artifact> known;

  public CataloguedZtocs(ArtifactStore store, Catalogue catalogue) {
    this.store = store;
    this.catalogue = catalogue;
  }

  @Override
  public Optional<Known> find(Digest layer, long spanSize) throws IOException {
    for (Artifact ztoc : known()) {
      if (ztoc.of().equals(layer) && ztoc.spanSize() == spanSize) {
        OptionalLong size = store.size(ztoc.digest());
        if (size.isPresent() && size.getAsLong() == ztoc.size()) {
          return Optional.of(new Known(ztoc.digest(), ztoc.size()));
        }
      }
    }
    return Optional.empty();
  }

  private synchronized List<Artifact> known() throws IOException {
    if (known == null) {
      known = catalogue.all(Artifact.Type.ZTOC);
    }
    return known;
  }

  @Override
  public void putZtoc(Digest layer, long spanSize, Digest ztoc, byte[] bytes) throws IOException {
    store.put(ztoc, bytes, Map.of());
    put(ztoc, bytes.length, Artifact.Type.ZTOC, SociTerms.ZTOC_TYPE, layer, spanSize);
  }

  @Override
  public void putPrefetch(Digest layer, Digest artifact, byte[] bytes) throws IOException {
    store.put(artifact, bytes, Map.of());
    put(artifact, bytes.length, Artifact.Type.PREFETCH, SociTerms.PREFETCH_TYPE, layer, 0);
  }

  private void put(
      Digest digest, long size, Artifact.Type type, String mediaType, Digest layer, long spanSize)
      throws IOException {
    catalogue.put(
        new Artifact(digest, size, type, mediaType, "", layer, "", "", spanSize, Instant.now()));
  }

  @Override
  public byte[] read(Known ztoc) throws IOException {
    return store.read(ztoc.ztoc(), LARGEST_ZTOC);
  }
}
