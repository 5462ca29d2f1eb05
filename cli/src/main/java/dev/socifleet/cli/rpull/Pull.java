package dev.socifleet.cli.rpull;

import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.ImageRecords;
import dev.socifleet.containerd.Lease;
import dev.socifleet.containerd.SnapshotterClient;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ManifestBlob;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.sociindex.IndexDiscovery;
import dev.socifleet.sociindex.SociIndex;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pull. Everything is made under a lease, which is given back at the end however it ends; one
 * that is left by a killed process expires. Nothing has a name before all of it is there.
 */
final class Pull {
  private static final Logger log = LoggerFactory.getLogger(Pull.class);
  private static final Duration LEASE = Duration.ofHours(24); // as containerd's own client
  private static final String KEEPS_SNAPSHOT = "containerd.io/gc.ref.snapshot.";

  private final PullRequest request;
  private final ContainerdChannel containerd;
  private final Repository repository;
  private final PullListener listener;

  Pull(
      PullRequest request,
      ContainerdChannel containerd,
      Repository repository,
      PullListener listener) {
    this.request = request;
    this.containerd = containerd;
    this.repository = repository;
    this.listener = listener;
  }

  /** A result for each platform; there is one at least. */
  List<PullResult> run() throws IOException {
    try (Lease lease = Lease.open(containerd, request.namespace(), "soci-rpull", LEASE)) {
      var snapshots = new SnapshotterClient(lease.calls(), request.snapshotter());
      if (!snapshots.known()) {
        throw PullFailures.unknownSnapshotter(request.snapshotter());
      }
      ContentStore store = new ContentStore(lease.calls());
      Documents documents = new Documents(store, repository.name());
      List<FoundImage> images = new ImageSearch(request, repository, store).find();
      List<PullResult> results = new ArrayList<>();
      for (FoundImage image : images) {
        results.add(platform(image, lease, snapshots, documents));
      }
      new ImageRecords(lease.calls())
          .put(request.name(), ContainerdTypes.descriptor(images.getFirst().target()));
      return results;
    }
  }

  private PullResult platform(
      FoundImage image, Lease lease, SnapshotterClient snapshots, Documents documents)
      throws IOException {
    long start = System.nanoTime();
    ContentStore store = new ContentStore(lease.calls());
    documents.write(image);
    listener.found(image);
    List<LayerResult> results;
    var download = new LayerDownload(repository, store, documents, listener::received);
    try (Downloads downloads = new Downloads(layer -> download.download(layer.blob()))) {
      results = layers(image, new LayerUnpack(lease, snapshots, store, image.layers()), downloads);
    }
    if (!image.layers().isEmpty()) {
      store.label(
          image.config().descriptor().digest().toString(),
          Map.of(KEEPS_SNAPSHOT + request.snapshotter(), image.layers().getLast().chainId()));
    }
    return new PullResult(image, results, Duration.ofNanos(System.nanoTime() - start));
  }

  private List<LayerResult> layers(FoundImage image, LayerUnpack unpack, Downloads downloads)
      throws IOException {
    List<LayerResult> results = new ArrayList<>();
    int ready = unpack.ready();
    for (ImageLayer layer : image.layers().subList(0, ready)) {
      settle(results, new LayerResult(layer, unpack.stateOf(layer), true, 0, Duration.ZERO));
    }
    boolean lookedAhead = false;
    for (ImageLayer layer : image.layers().subList(ready, image.layers().size())) {
      listener.working(layer);
      long start = System.nanoTime();
      Map<String, String> labels =
          LayerLabels.of(
              request.name(),
              image.manifestDocument().descriptor().digest(),
              image.layers(),
              layer.number(),
              request.index());
      Optional<LayerUnpack.Begun> left = unpack.prepare(layer, labels);
      long downloaded = 0;
      if (left.isEmpty()) {
        downloads.unwanted(layer);
      } else {
        try {
          downloads.ahead(layer);
          if (!lookedAhead) {
            lookedAhead = true;
            lookAhead(image, layer.number() + 1, downloads);
          }
          downloaded = downloads.await(layer);
          listener.unpacking(layer);
          unpack.unpack(layer, left.get(), labels);
        } catch (IOException | RuntimeException e) {
          unpack.abandon(left.get());
          throw e;
        }
      }
      settle(
          results,
          new LayerResult(
              layer,
              left.isEmpty() ? unpack.stateOf(layer) : LayerResult.State.UNPACKED,
              false,
              downloaded,
              Duration.ofNanos(System.nanoTime() - start)));
    }
    return results;
  }

  private void settle(List<LayerResult> results, LayerResult result) {
    results.add(result);
    listener.settled(result);
  }

  /**
   * Begins the downloads of layers that the snapshotter will leave too. It can't be asked yet, for
   * their parents aren't there; but a layer without a zTOC can't be lazy.
   */
  private void lookAhead(FoundImage image, int from, Downloads downloads) {
    Set<Digest> indexed = new HashSet<>();
    try {
      FoundImage.Document manifest = image.manifestDocument();
      IndexDiscovery.find(
              repository,
              new ManifestBlob(
                  manifest.descriptor().mediaType(),
                  manifest.descriptor().digest(),
                  manifest.bytes()),
              request.index().orElse(null))
          .ifPresent(found ->
              found.index().ztocs().stream().map(SociIndex.LayerZtoc::layer).forEach(indexed::add));
    } catch (RegistryException e) {
      log.debug("nothing is downloaded ahead: {}", e.getMessage());
      return;
    }
    for (ImageLayer layer : image.layers().subList(from, image.layers().size())) {
      if (!indexed.contains(layer.blob().digest())) {
        downloads.ahead(layer);
      }
    }
  }
}
