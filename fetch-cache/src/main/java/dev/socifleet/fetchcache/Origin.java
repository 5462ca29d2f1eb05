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
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
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
  private final Counter heads;
  private final Counter gets;
  private final Counter bytes;

  /** A body that broke off after it had begun; the rest can be asked for. */
  static final class LostBodyException extends IOException {
    LostBodyException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** Takes spans as they come; {@code genuine} says whether the bytes have the digest asked for. */
  @FunctionalInterface
  interface Landing {
    void landed(int index, boolean genuine);
  }

  Origin(Registries registries, RegistryGate gate, Watch watch, Metrics metrics) {
    this.registries = registries;
    this.gate = gate;
    this.watch = watch;
    heads = requests(metrics, "head");
    gets = requests(metrics, "get");
    bytes = metrics.counter("soci_cache_registry_bytes_total", "Bytes of spans from registries");
  }

  private static Counter requests(Metrics metrics, String kind) {
    return metrics.counter(
        "soci_cache_registry_requests_total",
        "Requests to registries: head asks for a right, get fetches a run of spans",
        "kind",
        kind);
  }

  /** Whether the repository has the blob, asked as this caller; its size if so. */
  OptionalLong blobSize(Caller caller, Digest blob) throws Refusal, InterruptedException {
    Repository repository = repository(caller);
    try (Permit _ = gate.enter(caller.repository().registry(), Kind.HEAD);
        Watch.Watched watched = watch.start()) {
      heads.increment();
      try {
        return repository.blobSize(blob);
      } catch (RegistryException e) {
        throw failure(caller, watched, e);
      }
    }
  }

  /**
   * Neighbouring spans of a blob by one request: each begins where the one before ends, or within
   * it (spans of a gzip layer share a byte where they meet within one).
   *
   * @param buffers of the spans' sizes, filled one after the other
   * @throws LostBodyException the body broke off; the spans that landed have landed
   */
  void fetch(
      Caller caller, Digest blob, List<SpanRange> spans, List<SpanBytes> buffers, Landing landing)
      throws Refusal, LostBodyException, InterruptedException {
    Repository repository = repository(caller);
    ByteRange all = new ByteRange(spans.getFirst().range().start(), spans.getLast().range().end());
    try (Permit _ = gate.enter(caller.repository().registry(), Kind.GET);
        Watch.Watched watched = watch.start()) {
      gets.increment();
      InputStream body;
      try {
        body = repository.openBlob(blob, all);
      } catch (RegistryException e) {
        throw failure(caller, watched, e);
      }
      try (body) {
        watched.progress();
        read(body, spans, buffers, landing, watched);
      } catch (IOException e) {
        if (watched.cut()) {
          throw stalled(caller);
        }
        throw new LostBodyException(e);
      }
    }
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
        bytes.increment(count);
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

  private Refusal failure(Caller caller, Watch.Watched watched, RegistryException e) {
    return watched.cut() ? stalled(caller) : Refusal.registry(e);
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
