package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.fetchcache.RegistryGate.Kind;
import dev.socifleet.fetchcache.RegistryGate.Permit;
import dev.socifleet.fetchcache.store.SpanBytes;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.Registries;
import dev.socifleet.oci.RegistryException;
import dev.socifleet.oci.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * The registries, asked under a caller's credential and never under one of our own. Calls block; a
 * thread without a byte for too long is interrupted. Thread-safe.
 */
final class Origin {
  private static final int CHUNK = 64 << 10;

  private final Registries registries;
  private final RegistryGate gate;
  private final Watch watch;
  private final OriginMetrics metrics;
  private final Throttled throttled = new Throttled();

  /** Takes spans as they come; {@code genuine} says whether the bytes have the digest asked for. */
  @FunctionalInterface
  interface Landing {
    void landed(int index, boolean genuine);
  }

  /** What is done with a repository while the time runs. */
  private interface Talk<T> {
    T on(Repository repository, Watch.Watched watched) throws IOException;
  }

  Origin(Registries registries, RegistryGate gate, Watch watch, OriginMetrics metrics) {
    this.registries = registries;
    this.gate = gate;
    this.watch = watch;
    this.metrics = metrics;
  }

  /** Whether the repository has the blob, asked as this caller; its size if so. */
  OptionalLong blobSize(Caller caller, Digest blob) throws Refusal, InterruptedException {
    return talk(caller, Kind.HEAD, (repository, watched) -> repository.blobSize(blob));
  }

  /**
   * Neighbouring spans of a blob by one request: each begins where the one before ends, or within
   * it (spans of a gzip layer share a byte where they meet within one).
   *
   * @param buffers of the spans' sizes, filled one after the other
   * @throws Refusal also in the middle; the spans that landed have landed
   */
  void fetch(
      Caller caller, Digest blob, List<SpanRange> spans, List<SpanBytes> buffers, Landing landing)
      throws Refusal, InterruptedException {
    ByteRange all = new ByteRange(spans.getFirst().range().start(), spans.getLast().range().end());
    talk(
        caller,
        Kind.GET,
        (repository, watched) -> {
          try (InputStream body = repository.openBlob(blob, all)) {
            watched.progress();
            read(body, spans, buffers, landing, watched);
            return true;
          }
        });
  }

  private <T> T talk(Caller caller, Kind kind, Talk<T> talk) throws Refusal, InterruptedException {
    Repository repository = repository(caller);
    throttled.check(caller);
    try (Permit _ = gate.enter(caller.repository().registry(), kind);
        Watch.Watched watched = watch.start()) {
      metrics.asked(kind).increment();
      long since = System.nanoTime();
      try {
        return talk.on(repository, watched);
      } catch (IOException e) {
        if (watched.cut()) {
          metrics.failed(kind, "stalled");
          throw stalled(caller);
        }
        if (!(e instanceof RegistryException failure)) {
          throw new IllegalStateException("registries fail in known ways", e);
        }
        Refusal refusal = Refusal.registry(failure);
        metrics.failed(kind, reason(refusal, watched));
        throttled.note(caller, refusal);
        throw refusal;
      } finally {
        metrics.took(kind, Duration.ofNanos(System.nanoTime() - since));
      }
    }
  }

  private static String reason(Refusal refusal, Watch.Watched watched) {
    if (refusal.isThrottling()) {
      return "throttled";
    }
    if (refusal.isPersonal()) {
      return "denied";
    }
    return watched.hasProgressed() ? "broken" : "failed";
  }

  private void read(
      InputStream body,
      List<SpanRange> spans,
      List<SpanBytes> buffers,
      Landing landing,
      Watch.Watched watched)
      throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int i = 0; i < spans.size(); i++) {
      SpanRange span = spans.get(i);
      SpanBytes into = buffers.get(i);
      MessageDigest hash = Digest.newSha256();
      into.clear();
      if (i > 0) {
        ByteRange before = spans.get(i - 1).range();
        int shared = (int) (before.end() - span.range().start());
        into.write(buffers.get(i - 1), (int) before.length() - shared, shared);
        hash.update(into.view());
      }
      for (long left = span.range().length() - into.length(); left > 0; ) {
        int count = body.read(chunk, 0, (int) Math.min(left, CHUNK));
        if (count < 0) {
          throw new IOException("it ended " + left + " bytes early");
        }
        watched.progress();
        metrics.bytes().increment(count);
        hash.update(chunk, 0, count);
        into.write(chunk, 0, count);
        left -= count;
      }
      landing.landed(i, Arrays.equals(hash.digest(), span.span().hash()));
    }
  }

  private Repository repository(Caller caller) throws Refusal {
    try {
      return registries.repository(caller.repository(), caller.credential());
    } catch (RegistryException e) {
      throw Refusal.denied("not-allowed", String.valueOf(e.getMessage()));
    }
  }

  private Refusal stalled(Caller caller) {
    return Refusal.registry(
        "registry "
            + caller.repository().registry()
            + " sent nothing for "
            + watch.patience().toMillis()
            + " ms");
  }
}
