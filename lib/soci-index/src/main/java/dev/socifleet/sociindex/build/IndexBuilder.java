package dev.socifleet.sociindex.build;

import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.ImageManifest;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.sociindex.SociIndex.LayerPrefetch;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.sociindex.SociTerms;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Builds what goes into an image's index. A layer is read once, from its first byte to its last,
 * and nothing but its zTOC is kept; as many layers at a time as there are processors. One layer
 * that can't have a zTOC is left out; a layer that can't be read fails the image.
 *
 * <p>Used by one thread; layers that images share are built once.
 */
public final class IndexBuilder {
  private final LayerBlobs layers;
  private final ZtocStore ztocs;
  private final IndexRules rules;
  private final BuildListener listener;
  private final LayerPolicy policy;
  private final Map<Digest, Optional<LayerZtoc>> done = new HashMap<>();

  /** What one image's index holds: base layer first. Empty lists where no layer has a zTOC. */
  public record Parts(List<LayerZtoc> ztocs, List<LayerPrefetch> prefetches) {
    public Parts {
      ztocs = List.copyOf(ztocs);
      prefetches = List.copyOf(prefetches);
    }
  }

  public IndexBuilder(
      LayerBlobs layers, ZtocStore ztocs, IndexRules rules, BuildListener listener) {
    this.layers = layers;
    this.ztocs = ztocs;
    this.rules = rules;
    this.listener = listener;
    policy = new LayerPolicy(rules.minLayerSize());
  }

  public Parts build(ImageManifest manifest) throws IOException {
    Map<Digest, Descriptor> distinct = new LinkedHashMap<>();
    for (Descriptor layer : manifest.layers()) {
      if (done.containsKey(layer.digest())) {
        done.get(layer.digest()).ifPresent(known -> listener.reused(layer, known.ztoc()));
      } else if (!layer.mediaType().equals(SociTerms.PREFETCH_TYPE)) {
        distinct.put(layer.digest(), layer);
      }
    }
    buildAll(List.copyOf(distinct.values()));
    List<LayerZtoc> found = new ArrayList<>();
    for (Descriptor layer : manifest.layers()) {
      done.getOrDefault(layer.digest(), Optional.empty())
          .ifPresent(ztoc -> found.add(withType(ztoc, layer.mediaType())));
    }
    return new Parts(found, new PrefetchSearch(ztocs, listener).find(rules.prefetch(), found));
  }

  private void buildAll(List<Descriptor> wanted) throws IOException {
    int threads = Math.clamp(wanted.size(), 1, Runtime.getRuntime().availableProcessors());
    try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      Map<Digest, Future<Optional<LayerZtoc>>> results = new LinkedHashMap<>();
      // The largest first: one that began last would leave the other processors idle.
      wanted.stream()
          .sorted(Comparator.comparingLong(Descriptor::size).reversed())
          .forEach(layer -> results.put(layer.digest(), workers.submit(() -> index(layer))));
      try {
        for (Map.Entry<Digest, Future<Optional<LayerZtoc>>> result : results.entrySet()) {
          done.put(result.getKey(), result.getValue().get());
        }
      } catch (ExecutionException e) {
        workers.shutdownNow();
        throw failure(e);
      } catch (InterruptedException e) {
        workers.shutdownNow();
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("building the index was interrupted");
      }
    }
  }

  private static IOException failure(ExecutionException e) {
    return switch (e.getCause()) {
      case IOException failure -> failure;
      case RuntimeException failure -> throw failure;
      case Error error -> throw error;
      case null, default -> new IOException(e);
    };
  }

  private Optional<LayerZtoc> index(Descriptor layer) throws IOException {
    if (layer.size() < rules.minLayerSize()) {
      listener.tooSmall(layer, rules.minLayerSize());
      return Optional.empty();
    }
    return switch (policy.decide(layer)) {
      case LayerPolicy.Decision.LeftOut _ -> {
        listener.unsupported(layer);
        yield Optional.empty();
      }
      case LayerPolicy.Decision.Gzip() -> ztoc(layer, Compression.GZIP);
      case LayerPolicy.Decision.Tar() -> ztoc(layer, Compression.UNCOMPRESSED);
    };
  }

  private Optional<LayerZtoc> ztoc(Descriptor layer, Compression compression) throws IOException {
    Optional<ZtocStore.Known> known =
        rules.force() ? Optional.empty() : ztocs.find(layer.digest(), rules.spanSize());
    if (known.isPresent()) {
      listener.reused(layer, known.get().ztoc());
      return Optional.of(entry(layer, known.get()));
    }
    return switch (read(layer, compression)) {
      case ZtocOutcome.NotIndexable(String reason) -> {
        listener.refused(layer, reason);
        yield Optional.empty();
      }
      case ZtocOutcome.Built built -> {
        Digest digest = Digest.parse(built.digest());
        ztocs.putZtoc(layer.digest(), rules.spanSize(), digest, built.bytes());
        listener.built(layer, digest);
        yield Optional.of(entry(layer, new ZtocStore.Known(digest, built.bytes().length)));
      }
    };
  }

  private ZtocOutcome read(Descriptor layer, Compression compression) throws IOException {
    Optional<InputStream> blob = layers.open(layer);
    if (blob.isEmpty()) {
      if (!layer.urls().isEmpty()) {
        return new ZtocOutcome.NotIndexable("it is kept elsewhere, at " + layer.urls().getFirst());
      }
      throw new IOException(
          "layer " + layer.digest() + " isn't there; copy the whole image, then try again");
    }
    try (InputStream in = blob.get()) {
      return ZtocBuilder.build(
          in,
          compression,
          ZtocOptions.ofSpanSize(rules.spanSize())
              .withProgress((bytes, files) -> listener.reading(layer, bytes)));
    }
  }

  private LayerZtoc entry(Descriptor layer, ZtocStore.Known ztoc) throws IOException {
    boolean plain = rules.markXattrs() && new ZtocLookup(ztocs.read(ztoc)).hasNoXattrs();
    return new LayerZtoc(
        layer.digest(), layer.mediaType(), ztoc.ztoc(), ztoc.size(), rules.spanSize(), plain);
  }

  private static LayerZtoc withType(LayerZtoc ztoc, String mediaType) {
    return new LayerZtoc(
        ztoc.layer(),
        mediaType,
        ztoc.ztoc(),
        ztoc.ztocSize(),
        ztoc.spanSize(),
        ztoc.xattrsDisabled());
  }
}
