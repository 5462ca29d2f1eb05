package dev.socifleet.fuse;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** What {@link FuseMount.Statistics} shows. */
final class Counters {
  private final Map<RequestKind, LongAdder> requests = new EnumMap<>(RequestKind.class);
  final LongAdder errors = new LongAdder();
  final LongAdder failures = new LongAdder();
  final LongAdder interrupts = new LongAdder();
  final LongAdder malformed = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder exhausted = new LongAdder();

  Counters() {
    for (RequestKind kind : RequestKind.values()) {
      requests.put(kind, new LongAdder());
    }
  }

  /** Allocates nothing. */
  void count(RequestKind kind) {
    Objects.requireNonNull(requests.get(kind)).increment();
  }

  FuseMount.Statistics snapshot(int deferred) {
    Map<RequestKind, Long> byKind = new EnumMap<>(RequestKind.class);
    requests.forEach((kind, count) -> byKind.put(kind, count.sum()));
    return new FuseMount.Statistics(
        byKind,
        deferred,
        errors.sum(),
        failures.sum(),
        interrupts.sum(),
        malformed.sum(),
        refused.sum(),
        exhausted.sum());
  }
}
