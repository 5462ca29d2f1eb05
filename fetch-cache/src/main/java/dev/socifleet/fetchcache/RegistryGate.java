package dev.socifleet.fetchcache;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many requests go to a registry at once, questions (HEAD) and fetches (GET) counted apart so
 * that a hit that only needs a question doesn't wait behind slow fetches. Each registry for itself:
 * one that hangs stops nobody else. Thread-safe.
 */
final class RegistryGate {
  enum Kind {
    HEAD,
    GET
  }

  private record Lane(String registry, Kind kind) {}

  private static final class Limits {
    private final Semaphore permits;
    private final AtomicInteger waiting = new AtomicInteger();

    Limits(int requests) {
      permits = new Semaphore(requests, true);
    }
  }

  private final int requests;
  private final int queue;
  private final Duration patience;
  private final Map<Lane, Limits> lanes = new ConcurrentHashMap<>();

  /**
   * @param requests at once, of each kind
   * @param queue how many may wait, of each kind
   */
  RegistryGate(int requests, int queue, Duration patience) {
    this.requests = requests;
    this.queue = queue;
    this.patience = patience;
  }

  /** How many wait now, for all registries together. */
  int waiting() {
    return lanes.values().stream().mapToInt(limits -> limits.permits.getQueueLength()).sum();
  }

  /** Leaves the gate. */
  interface Permit extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * @param registry one of the allow-list, which bounds their number
   */
  Permit enter(String registry, Kind kind) throws Refusal, InterruptedException {
    Limits limits = lanes.computeIfAbsent(new Lane(registry, kind), lane -> new Limits(requests));
    if (limits.waiting.incrementAndGet() > queue + requests) {
      limits.waiting.decrementAndGet();
      throw Refusal.overloaded("too many requests wait for registry " + registry);
    }
    try {
      if (!limits.permits.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw Refusal.overloaded(
            requests + " requests to registry " + registry + " have not ended in time");
      }
    } finally {
      limits.waiting.decrementAndGet();
    }
    return limits.permits::release;
  }
}
