package dev.socifleet.node.images;

import dev.socifleet.cacheclient.FleetCache;
import dev.socifleet.node.fetch.FetchCounts;
import dev.socifleet.node.fetch.Repositories;
import dev.socifleet.node.fetch.StallGuard;
import dev.socifleet.node.images.ImageResolution.Discovered;
import dev.socifleet.node.images.ImageResolution.Load;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.layers.LazyLayers;
import dev.socifleet.node.layers.UnservableLayerException;
import dev.socifleet.node.snapshots.Labels;
import dev.socifleet.node.snapshots.LayerPins;
import dev.socifleet.node.snapshots.LayerSource;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.sociindex.SociIndex.LayerZtoc;
import dev.socifleet.ztoc.MalformedZtocException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the layers of images lazy. The first question about an image looks its index up and loads
 * the zTOCs of all its layers, in parallel, on threads of their own; whoever asks waits for the
 * layer he wants, at most until {@code mount-timeout} after that start. Thread-safe.
 *
 * <p>An index that was found is believed for 10 minutes. "There is none", and that the registry
 * denies us or sent something broken, is believed for 10 seconds, and a temporary failure not at
 * all: the next question tries again. A layer that is on the node's mount already needs no network.
 */
public final class ImageLayers implements LayerSource, LayerPins, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ImageLayers.class);
  private static final int MOST_IMAGES = 256;
  // Nobody waits that long; but one day a slow loading has to end.
  private static final Duration LONGEST_WORK = Duration.ofMinutes(10);

  private final ImageRules rules;
  private final Repositories repositories;
  private final LazyLayers layers;
  private final Decisions decisions;
  private final IndexSearch search;
  private final Ztocs ztocs;
  private final Set<Thread> working = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService clock;
  private volatile boolean closed;
  private final Map<ImageId, ImageResolution> images =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ImageId, ImageResolution> eldest) {
          return size() > MOST_IMAGES;
        }
      };

  public ImageLayers(
      ImageRules rules,
      Repositories repositories,
      Optional<FleetCache> cache,
      LazyLayers layers,
      Decisions decisions,
      FetchCounts counts,
      StallGuard stalls) {
    this.rules = rules;
    this.repositories = repositories;
    this.layers = layers;
    this.decisions = decisions;
    this.search = new IndexSearch(repositories, rules);
    this.ztocs = new Ztocs(repositories, cache, counts, stalls, rules.maxZtocSize());
    this.clock =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("image-deadlines").daemon().factory());
  }

  @Override
  public Decision decide(String namespace, Map<String, String> labels) {
    Outcome outcome;
    try {
      LayerLabels wanted = LayerLabels.parse(labels);
      outcome = outcome(wanted.image(), wanted.layer());
    } catch (IllegalArgumentException e) {
      outcome = Outcome.not(Reason.LABELS, String.valueOf(e.getMessage()));
    }
    decisions.add(
        labels.getOrDefault(Labels.IMAGE, ""), labels.getOrDefault(Labels.LAYER, ""), outcome);
    return outcome.layer() == null
        ? new Decision.LeftToContainerd()
        : new Decision.Lazy(outcome.layer());
  }

  /** Makes one layer lazy, and its image's others beside it; blocks as the class says. */
  public Outcome outcome(ImageId image, Digest layer) {
    if (!repositories.allows(image.repository())) {
      return Outcome.not(
          Reason.NOT_ALLOWED,
          "registry " + image.repository().registry() + " isn't in the node's list ([[registry]])");
    }
    ImageResolution resolution = resolution(image);
    Discovered discovered = await(resolution.discovered, resolution.startedNanos);
    return switch (discovered) {
      case null -> timedOut("finding its index");
      case Discovered.None(Outcome outcome) -> outcome;
      case Discovered.Index index -> outcome(resolution, index, layer);
    };
  }

  private Outcome outcome(ImageResolution resolution, Discovered.Index index, Digest layer) {
    Long size = index.sizes().get(layer);
    if (size == null) {
      return Outcome.not(
          Reason.LABELS, layer + " is no layer of manifest " + resolution.id.manifest());
    }
    LayerZtoc ztoc = index.ztocs().get(layer);
    if (ztoc == null) {
      return Outcome.not(Reason.NO_ZTOC, "the index has no zTOC for this layer");
    }
    if (size < rules.minLayerSize()) {
      return Outcome.not(
          Reason.TOO_SMALL,
          "its " + size + " bytes are less than min-layer-size, " + rules.minLayerSize());
    }
    Load load = load(resolution, ztoc);
    Outcome outcome = await(load.outcome, load.startedNanos);
    return outcome == null ? timedOut("loading its zTOC") : outcome;
  }

  private Outcome timedOut(String what) {
    return Outcome.not(
        Reason.TIMED_OUT,
        what + " took more than mount-timeout, " + rules.mountTimeout().toMillis() + " ms");
  }

  @Override
  public boolean holds(LayerKey layer) {
    List<ImageResolution> all;
    synchronized (images) {
      all = new ArrayList<>(images.values());
    }
    return all.stream().anyMatch(resolution -> resolution.pins(layer));
  }

  /** Nobody wants this image any more: its layers may go. */
  public void forget(ImageId image) {
    synchronized (images) {
      images.remove(image);
    }
  }

  private ImageResolution resolution(ImageId id) {
    ImageResolution fresh;
    synchronized (images) {
      ImageResolution known = images.get(id);
      if (known != null && known.holds()) {
        known.asked();
        return known;
      }
      fresh = new ImageResolution(id);
      images.put(id, fresh);
    }
    work(
        () -> search.find(id),
        () -> new Discovered.None(unfinished("finding the index")),
        found -> {
          fresh.complete(found);
          if (found instanceof Discovered.Index(var sizes, var found0)) {
            found0.values().stream()
                .filter(ztoc -> sizes.getOrDefault(ztoc.layer(), 0L) >= rules.minLayerSize())
                .forEach(ztoc -> load(fresh, ztoc, fresh.startedNanos));
          }
        });
    return fresh;
  }

  private Load load(ImageResolution resolution, LayerZtoc ztoc) {
    return load(resolution, ztoc, System.nanoTime());
  }

  /** The loading of a layer: the one there is, unless it has ended and doesn't hold any more. */
  private Load load(ImageResolution resolution, LayerZtoc ztoc, long startedNanos) {
    Load fresh = new Load(startedNanos);
    Load chosen =
        resolution.loads.compute(
            ztoc.layer(), (_, known) -> known != null && holds(known) ? known : fresh);
    if (chosen == fresh) {
      LayerKey key = new LayerKey(ztoc.layer(), ztoc.ztoc());
      if (layers.find(key).isPresent()) {
        fresh.outcome.complete(Outcome.lazy(key));
      } else {
        work(
            () -> add(resolution, ztoc, key),
            () -> unfinished("loading zTOC " + ztoc.ztoc()),
            fresh.outcome::complete);
      }
    }
    return chosen;
  }

  private boolean holds(Load load) {
    Outcome ended = load.outcome.getNow(null);
    return ended == null
        || switch (ended.reason()) {
          case LAZY -> ended.layer() != null && layers.find(ended.layer()).isPresent();
          case UNSERVABLE, BROKEN -> true;
          default -> false;
        };
  }

  private Outcome add(ImageResolution resolution, LayerZtoc ztoc, LayerKey key) {
    try {
      resolution.loading.acquire();
      try {
        ztocs.use(
            resolution.id.repository(),
            ztoc,
            bytes -> {
              var _ = layers.add(key, bytes, resolution.id.repository());
            });
        return Outcome.lazy(key);
      } finally {
        resolution.loading.release();
      }
    } catch (RegistryException e) {
      if (e.denied()) {
        repositories.forget(resolution.id.repository());
      }
      return IndexSearch.failure(e);
    } catch (UnservableLayerException e) {
      return Outcome.not(Reason.UNSERVABLE, String.valueOf(e.getMessage()));
    } catch (Ztocs.BrokenZtocException | MalformedZtocException e) {
      return Outcome.not(Reason.BROKEN, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return Outcome.not(Reason.TEMPORARY, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unfinished("loading zTOC " + ztoc.ztoc());
    }
  }

  private Outcome unfinished(String what) {
    return Outcome.not(
        Reason.TEMPORARY,
        what + (closed ? " was ended: the node is closing" : " failed unexpectedly; see the log"));
  }

  /** Runs on a thread of its own, with a deadline; {@code done} is told the result in any case. */
  private <T> void work(Supplier<T> task, Supplier<T> failed, Consumer<T> done) {
    Thread thread = Thread.ofVirtual().unstarted(() -> run(task, failed, done));
    working.add(thread);
    thread.start();
    if (closed) {
      thread.interrupt();
    }
  }

  @SuppressWarnings("IllegalCatch") // an unexpected failure must reach those who wait, and the log
  private <T> void run(Supplier<T> task, Supplier<T> failed, Consumer<T> done) {
    Thread self = Thread.currentThread();
    Future<?> deadline = null;
    T result;
    try {
      deadline = clock.schedule(self::interrupt, LONGEST_WORK.toSeconds(), TimeUnit.SECONDS);
      result = task.get();
    } catch (RuntimeException | Error e) {
      if (!closed) {
        log.error("resolving an image failed unexpectedly", e);
      }
      result = failed.get();
    } finally {
      if (deadline != null) {
        deadline.cancel(false);
      }
    }
    done.accept(result);
    working.remove(self);
  }

  /** The result, or null when the pull has waited long enough or was interrupted. */
  private <T> @Nullable T await(CompletableFuture<T> result, long startedNanos) {
    long left = rules.mountTimeout().toNanos() - (System.nanoTime() - startedNanos);
    try {
      return result.isDone() ? result.join() : result.get(left, TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } catch (ExecutionException e) {
      throw new IllegalStateException("results are never failures", e);
    }
  }

  /** Ends what is being loaded; those who wait are told. */
  @Override
  public void close() {
    closed = true;
    working.forEach(Thread::interrupt);
    clock.shutdownNow();
  }
}
