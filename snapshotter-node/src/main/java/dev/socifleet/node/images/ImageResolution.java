package dev.socifleet.node.images;

import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.oci.Digest;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * What is known, or being found out, of one image: its index, then each layer's outcome. Shared by
 * all who ask for the image, so nobody's cancellation ends it. Thread-safe.
 */
final class ImageResolution {
  private static final Duration FOUND_KEPT = Duration.ofMinutes(10);
  // An index is pushed soon after its image: "none" must not be believed for long.
  private static final Duration NOTHING_KEPT = Duration.ofSeconds(10);
  private static final Duration PULL_MAY_PAUSE = Duration.ofMinutes(10);
  private static final int LOADS_AT_A_TIME = 8;

  /** The end of the search for the index. */
  sealed interface Discovered {
    /**
     * There is one.
     *
     * @param sizes the image's layers, with their compressed sizes in bytes, from its manifest
     * @param ztocs of the layers that have one
     */
    record Index(Map<Digest, Long> sizes, Map<Digest, LayerZtoc> ztocs) implements Discovered {}

    /** There is none, or it can't be had: what holds for every layer. */
    record None(Outcome outcome) implements Discovered {}
  }

  /** One layer's loading, now or in the past. */
  static final class Load {
    final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    final long startedNanos;

    Load(long startedNanos) {
      this.startedNanos = startedNanos;
    }
  }

  final ImageId id;
  final long startedNanos = System.nanoTime();
  final CompletableFuture<Discovered> discovered = new CompletableFuture<>();
  final Semaphore loading = new Semaphore(LOADS_AT_A_TIME, /* fair= */ true);
  final Map<Digest, Load> loads = new ConcurrentHashMap<>();
  private volatile long discoveredNanos;
  private volatile long askedNanos = System.nanoTime();

  ImageResolution(ImageId id) {
    this.id = id;
  }

  /** Somebody's pull needs this image now. */
  void asked() {
    askedNanos = System.nanoTime();
  }

  void complete(Discovered result) {
    discoveredNanos = System.nanoTime();
    discovered.complete(result);
  }

  /** Whether it still says something of the image; else it has to be found out again. */
  boolean holds() {
    if (!discovered.isDone()) {
      return true;
    }
    long age = System.nanoTime() - discoveredNanos;
    return switch (discovered.join()) {
      case Discovered.Index _ -> age < FOUND_KEPT.toNanos();
      case Discovered.None(Outcome outcome) ->
          outcome.reason() != Reason.TEMPORARY && age < NOTHING_KEPT.toNanos();
    };
  }

  /** Whether a pull that goes on may still want this layer. */
  boolean pins(LayerKey key) {
    if (System.nanoTime() - askedNanos > PULL_MAY_PAUSE.toNanos()) {
      return false;
    }
    LayerZtoc ztoc = ztocOf(key.layer());
    return ztoc != null && ztoc.ztoc().equals(key.ztoc());
  }

  private @Nullable LayerZtoc ztocOf(Digest layer) {
    return discovered.getNow(null) instanceof Discovered.Index(var _, var ztocs)
        ? ztocs.get(layer)
        : null;
  }
}
