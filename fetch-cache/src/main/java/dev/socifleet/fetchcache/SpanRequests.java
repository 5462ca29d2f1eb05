package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.cacheclient.SpanList;
import dev.socifleet.cacheclient.SpanQuestion.Terms;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** The requests for spans. Thread-safe. */
final class SpanRequests {
  private final Rights rights;
  private final Spans spans;
  private final Beats beats;

  SpanRequests(Rights rights, Spans spans, Beats beats) {
    this.rights = rights;
    this.spans = spans;
    this.beats = beats;
  }

  /** {@code GET /v1/spans/{span}}. */
  void one(HttpServerRequest request, Digest digest, Reply reply)
      throws Refusal, IOException, InterruptedException {
    Caller caller = Parameters.caller(request);
    Digest blob = Parameters.of(request, "blob", Digest::parse);
    SpanRange span = new SpanRange(digest, Parameters.of(request, "range", ByteRange::parseHttp));
    spans.serve(
        caller,
        blob,
        List.of(span),
        Parameters.terms(request),
        (bytes, hit) -> {
          reply.begin(
              "application/octet-stream",
              OptionalLong.of(bytes.length()),
              Map.of(
                  "Docker-Content-Digest",
                  digest.toString(),
                  // RFC 9211
                  "Cache-Status",
                  hit ? "soci-fleet; hit" : "soci-fleet; fwd=miss"));
          reply.send(bytes);
        });
    reply.end();
  }

  /**
   * {@code POST /v1/spans}. A refusal that comes when frames may have gone out already is told
   * here.
   *
   * @param refused takes such a one before its answer goes out
   */
  void many(HttpServerRequest request, Reply reply, Consumer<Refusal> refused)
      throws Refusal, IOException, InterruptedException {
    Caller caller = Parameters.caller(request);
    Digest blob = Parameters.of(request, "blob", Digest::parse);
    Terms terms = Parameters.terms(request);
    int length = RequestBody.length(request, SpanList.LONGEST_BODY);
    try (FramedReply frames = new FramedReply(reply, beats)) {
      try {
        rights.check(caller, blob); // before anything of the body is waited for
        List<SpanRange> wanted = list(RequestBody.read(request, length));
        spans.serve(caller, blob, wanted, terms, (bytes, hit) -> frames.span(bytes));
        frames.end();
      } catch (Refusal e) {
        refused.accept(e);
        frames.refuse(e);
      }
    }
  }

  private static List<SpanRange> list(byte[] body) throws Refusal {
    try {
      return SpanList.parse(body).spans();
    } catch (IllegalArgumentException e) {
      throw Refusal.malformed("the list of spans: " + e.getMessage());
    }
  }
}
