package dev.socifleet.cacheclient;

import dev.socifleet.cacheclient.SpanQuestion.Terms;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The fleet's cache over HTTP: a static list of members, any of which may be down. Thread-safe.
 *
 * <p>A key's first choice is asked for it ({@link Placement}). If that fails, the second choice is
 * asked for what it has; the registry is then the caller's. A member that failed is left alone for
 * a while, from a quarter of a second to half a minute, and counts as no member in that time: the
 * next choice takes its place for everybody who saw it fail. So a cache that is down costs a
 * refused connection now and then.
 */
public final class HttpFleetCache implements FleetCache {
  private static final long MOST_BYTES_A_REQUEST = 64 << 20;

  private final CacheMembers members;
  private final Placement placement;

  private HttpFleetCache(CacheMembers members, Placement placement) {
    this.members = members;
    this.placement = placement;
  }

  /**
   * Opens no connection yet.
   *
   * @throws IOException when the certificate authority's file can't be used
   */
  public static HttpFleetCache open(FleetCacheConfig config) throws IOException {
    return new HttpFleetCache(CacheMembers.open(config), new Placement(config.members()));
  }

  /**
   * @param silence how long a member that sends spans may say nothing
   * @param nanos the clock by which a member that failed is left alone
   */
  static HttpFleetCache open(FleetCacheConfig config, Duration silence, LongSupplier nanos)
      throws IOException {
    return new HttpFleetCache(
        CacheMembers.open(config, silence, nanos), new Placement(config.members()));
  }

  @Override
  public void spans(
      RepositoryName repository,
      Digest blob,
      List<SpanRange> spans,
      Optional<String> registryAuthorization,
      SpanSink sink)
      throws IOException {
    var question = new SpanQuestion(repository, blob, registryAuthorization, Terms.ANY);
    for (int from = 0; from < spans.size(); ) {
      int to = groupEnd(blob, spans, from);
      ask(question, spans.subList(from, to), sink);
      from = to;
    }
  }

  /** Where the spans end that one member keeps and one request may ask for. */
  private static int groupEnd(Digest blob, List<SpanRange> spans, int from) {
    String key = Placement.ofSpan(blob, spans.get(from).range().start());
    long bytes = spans.get(from).range().length();
    int to = from + 1;
    while (to < spans.size()
        && to - from < SpanList.MOST_SPANS
        && bytes + spans.get(to).range().length() <= MOST_BYTES_A_REQUEST
        && Placement.ofSpan(blob, spans.get(to).range().start()).equals(key)) {
      bytes += spans.get(to++).range().length();
    }
    return to;
  }

  private void ask(SpanQuestion question, List<SpanRange> spans, SpanSink sink) throws IOException {
    List<CacheMember> choices =
        choices(Placement.ofSpan(question.blob(), spans.getFirst().range().start()));
    int[] done = {0};
    SpanSink counting =
        (span, bytes) -> {
          sink.accept(span, bytes);
          done[0]++;
        };
    try {
      choices.getFirst().spans(question, spans, counting);
    } catch (CacheUnavailableException e) {
      if (choices.size() < 2 || Thread.currentThread().isInterrupted()) {
        throw e;
      }
      if (done[0] == spans.size()) {
        return; // only the end was missing
      }
      choices
          .get(1)
          .spans(question.on(Terms.ONLY_IF_CACHED), spans.subList(done[0], spans.size()), counting);
    }
  }

  @Override
  public Optional<byte[]> ztoc(
      RepositoryName repository,
      Digest layer,
      long spanSizeBytes,
      Optional<String> registryAuthorization)
      throws IOException {
    return onEither(
        Placement.ofZtoc(layer, spanSizeBytes),
        member ->
            member.ztoc(layer, spanSizeBytes, Optional.of(repository), registryAuthorization));
  }

  @Override
  public Optional<byte[]> ztocAsIndexer(Digest layer, long spanSizeBytes) throws IOException {
    return onEither(
        Placement.ofZtoc(layer, spanSizeBytes),
        member -> member.ztoc(layer, spanSizeBytes, Optional.empty(), Optional.empty()));
  }

  @Override
  public void putZtoc(Digest layer, long spanSizeBytes, byte[] ztoc) throws IOException {
    onEither(
        Placement.ofZtoc(layer, spanSizeBytes),
        member -> {
          member.putZtoc(layer, spanSizeBytes, ztoc);
          return true;
        });
  }

  @Override
  public boolean lease(Digest layer, long spanSizeBytes, String holder, Duration duration)
      throws IOException {
    return onEither(
        Placement.ofZtoc(layer, spanSizeBytes),
        member -> member.lease(layer, spanSizeBytes, holder, duration));
  }

  @Override
  public void release(Digest layer, long spanSizeBytes, String holder) throws IOException {
    onEither(
        Placement.ofZtoc(layer, spanSizeBytes),
        member -> {
          member.release(layer, spanSizeBytes, holder);
          return true;
        });
  }

  @FunctionalInterface
  private interface Call<T> {
    T on(CacheMember member) throws IOException;
  }

  /** On the first choice or, when that can't help, on the second. */
  private <T> T onEither(String key, Call<T> call) throws IOException {
    List<CacheMember> choices = choices(key);
    try {
      return call.on(choices.getFirst());
    } catch (CacheUnavailableException e) {
      if (choices.size() < 2 || Thread.currentThread().isInterrupted()) {
        throw e;
      }
      return call.on(choices.get(1));
    }
  }

  /** Those that may be asked, first choice first. */
  private List<CacheMember> choices(String key) throws CacheUnavailableException {
    List<URI> order = placement.order(key);
    List<CacheMember> choices =
        order.stream().map(members::member).filter(member -> !member.quiet()).toList();
    if (choices.isEmpty()) {
      throw new CacheUnavailableException(
          "all "
              + order.size()
              + " members of the cache failed a moment ago; they are tried again soon",
          null);
    }
    return choices;
  }

  @Override
  public void close() {
    members.close();
  }
}
