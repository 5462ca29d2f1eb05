package dev.socifleet.indexer;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.events.Delays;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.LayerResult;
import dev.socifleet.events.LayerTask;
import dev.socifleet.events.TaskConsumer;
import dev.socifleet.events.Topic;
import dev.socifleet.events.ZtocEvent.LayerOutcome;
import dev.socifleet.oci.BlobContent;
import dev.socifleet.oci.Descriptor;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import dev.socifleet.service.Metrics;
import dev.socifleet.sociindex.LayerPolicy;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does a layer task: finds the layer's zTOC in the fleet's cache or builds it, puts it into the
 * repository, says what became of it. A layer that a thousand images share is built once: the first
 * worker holds a short lease in the cache.
 */
final class LayerBuilder implements TaskConsumer.Handler {
  private static final Logger LOG = LoggerFactory.getLogger(LayerBuilder.class);
  private static final Duration LEASE = Duration.ofMinutes(1);

  private final IndexerConfig config;
  private final Registries registries;
  private final EventProducer producer;
  private final Metrics metrics;
  private final Optional<FleetCache> cache;

  /** Another worker builds this very layer: come again when it may be done. */
  private static final class BeingBuilt extends Exception {}

  LayerBuilder(
      IndexerConfig config,
      Registries registries,
      EventProducer producer,
      Metrics metrics,
      Optional<FleetCache> cache) {
    this.config = config;
    this.registries = registries;
    this.producer = producer;
    this.metrics = metrics;
    this.cache = cache;
  }

  @Override
  public void handle(LayerTask task, int delivery) throws IOException, InterruptedException {
    LayerResult result;
    if (delivery >= TaskConsumer.LAST_DELIVERY) {
      // Every worker that took it died with it; the broker gives it to nobody after this.
      result = new LayerResult.Failed("building it ended the worker " + (delivery - 1) + " times");
    } else {
      try {
        result = index(task);
      } catch (BeingBuilt e) {
        Delays.later(producer, Topic.LAYERS, again(task, task.attempt()), 1, Optional.empty());
        return;
      } catch (InterruptedIOException e) {
        throw cancelled();
      } catch (RegistryException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw cancelled();
        }
        if (e.temporary() && task.attempt() < config.attempts()) {
          LOG.warn(
              "layer {}: {}; attempt {} comes later",
              task.layer(),
              e.getMessage(),
              task.attempt() + 1);
          Delays.later(
              producer,
              Topic.LAYERS,
              again(task, task.attempt() + 1),
              task.attempt(),
              e.retryAfter());
          return;
        }
        result = new LayerResult.Failed(String.valueOf(e.getMessage()));
      }
    }
    count(result);
    producer.send(
        Topic.ZTOCS,
        new LayerOutcome(
            task.repository(),
            task.planId(),
            task.layer(),
            task.spanSizeBytes(),
            result,
            Instant.now()));
  }

  private static InterruptedException cancelled() {
    boolean _ = Thread.interrupted(); // it is told by the exception
    return new InterruptedException("the task isn't ours any more");
  }

  private LayerResult index(LayerTask task) throws IOException, BeingBuilt {
    Repository repository = registries.repository(task.repository());
    Optional<byte[]> known = fromCache(task);
    if (known.isPresent()) {
      Digest ztoc = Digest.of(known.get());
      put(repository, ztoc, known.get());
      return new LayerResult.Reused(ztoc, known.get().length);
    }
    if (cache.isEmpty()) {
      return build(task, repository);
    }
    try (BuildLease _ =
        BuildLease.take(cache.get(), task.layer(), task.spanSizeBytes(), LEASE)
            .orElseThrow(BeingBuilt::new)) {
      return build(task, repository);
    }
  }

  private LayerResult build(LayerTask task, Repository repository) throws IOException {
    OptionalLong size = repository.blobSize(task.layer());
    if (size.isEmpty()) {
      return new LayerResult.Failed("the repository has no blob " + task.layer());
    }
    if (size.getAsLong() != task.sizeBytes()) {
      return new LayerResult.Skipped(
          "its manifest says " + task.sizeBytes() + " bytes, the registry has " + size.getAsLong());
    }
    Compression compression =
        switch (new LayerPolicy(0)
            .decide(Descriptor.of(task.mediaType(), task.layer(), task.sizeBytes()))) {
          case LayerPolicy.Decision.Tar() -> Compression.UNCOMPRESSED;
          default -> Compression.GZIP;
        };
    long started = System.nanoTime();
    ZtocOutcome outcome;
    try (InputStream layer = repository.openBlob(task.layer())) {
      outcome = ZtocBuilder.build(layer, compression, ZtocOptions.ofSpanSize(task.spanSizeBytes()));
    }
    return switch (outcome) {
      case ZtocOutcome.NotIndexable(String reason) -> new LayerResult.Skipped(reason);
      case ZtocOutcome.Built built -> {
        Digest ztoc = Digest.parse(built.digest());
        long millis = Math.max(1, (System.nanoTime() - started) / 1_000_000);
        LOG.info(
            String.format(
                Locale.ROOT,
                "layer %s: %.1f MB, inflated %.1f MB, in %d ms (%.0f MB/s), %d spans, %d files",
                task.layer(),
                built.compressedBytes() / 1e6,
                built.uncompressedBytes() / 1e6,
                millis,
                built.uncompressedBytes() / 1e3 / millis,
                built.spans(),
                built.files()));
        metrics
            .counter("soci_indexer_layer_bytes_total", "Compressed bytes of layers read")
            .increment(built.compressedBytes());
        put(repository, ztoc, built.bytes());
        toCache(task, built.bytes());
        yield new LayerResult.Indexed(
            ztoc, built.bytes().length, millis, built.uncompressedBytes());
      }
    };
  }

  private static void put(Repository repository, Digest ztoc, byte[] bytes)
      throws RegistryException {
    repository.putBlob(ztoc, bytes.length, BlobContent.of(bytes));
  }

  private Optional<byte[]> fromCache(LayerTask task) {
    if (cache.isEmpty()) {
      return Optional.empty();
    }
    try {
      return cache.get().ztocAsIndexer(task.layer(), task.spanSizeBytes());
    } catch (IOException e) {
      LOG.debug("the cache can't tell of layer {}: {}", task.layer(), e.getMessage());
      return Optional.empty();
    }
  }

  private void toCache(LayerTask task, byte[] ztoc) {
    if (cache.isPresent()) {
      try {
        cache.get().putZtoc(task.layer(), task.spanSizeBytes(), ztoc);
      } catch (IOException e) {
        LOG.debug("the cache didn't take the zTOC of layer {}: {}", task.layer(), e.getMessage());
      }
    }
  }

  private static LayerTask again(LayerTask task, int attempt) {
    return new LayerTask(
        task.repository(),
        task.planId(),
        task.layer(),
        task.mediaType(),
        task.sizeBytes(),
        task.spanSizeBytes(),
        attempt,
        task.plannedAt());
  }

  private void count(LayerResult result) {
    String kind =
        switch (result) {
          case LayerResult.Indexed _ -> "indexed";
          case LayerResult.Reused _ -> "reused";
          case LayerResult.Skipped _ -> "skipped";
          case LayerResult.Failed _ -> "failed";
        };
    metrics
        .counter("soci_indexer_layers_total", "Layer tasks by outcome", "result", kind)
        .increment();
    if (result instanceof LayerResult.Skipped(String reason)) {
      LOG.info("a layer is skipped: {}", reason);
    }
  }
}
