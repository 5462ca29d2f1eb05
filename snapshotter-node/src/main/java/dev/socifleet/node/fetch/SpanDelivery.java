package dev.socifleet.node.fetch;

import dev.socifleet.node.layers.LayerBytes.Sink;
import dev.socifleet.node.layers.LayerBytes.SpanRange;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands spans to their receiver, in order, each once and only with the right bytes. Whoever takes
 * over from a source that failed asks it what remains. One thread at a time.
 */
final class SpanDelivery {
  /** The bytes are not those of the span. */
  static final class CorruptBytesException extends IOException {
    CorruptBytesException(String message) {
      super(message);
    }
  }

  private final Digest layer;
  private final List<SpanRange> spans;
  private final Sink sink;
  private int next;
  private @Nullable IOException sinkFailure;

  SpanDelivery(Digest layer, List<SpanRange> spans, Sink sink) {
    this.layer = layer;
    this.spans = List.copyOf(spans);
    this.sink = sink;
  }

  boolean done() {
    return next == spans.size();
  }

  /** How many were delivered. */
  int delivered() {
    return next;
  }

  List<SpanRange> remaining() {
    return spans.subList(next, spans.size());
  }

  /** The first of the remaining spans, and those that follow it without a gap: one request. */
  List<SpanRange> neighbours() {
    List<SpanRange> group = new ArrayList<>();
    for (SpanRange span : remaining()) {
      if (!group.isEmpty()) {
        long start = span.range().start();
        SpanRange last = group.getLast();
        // A span may begin in the byte in which the one before it ends.
        if (start > last.range().end()
            || start <= last.range().start()
            || span.range().end() < last.range().end()) {
          break;
        }
      }
      group.add(span);
    }
    return group;
  }

  /** Takes the bytes of the first remaining span. */
  void accept(byte[] bytes) throws IOException {
    if (done()) {
      throw new CorruptBytesException("more spans than were asked for, of layer " + layer);
    }
    SpanRange span = spans.get(next);
    if (bytes.length != span.range().length() || !span.span().matches(bytes)) {
      throw new CorruptBytesException(
          "bytes " + span.range().toHttp() + " of layer " + layer + " aren't span " + span.span());
    }
    try {
      sink.accept(span, bytes);
    } catch (IOException e) {
      sinkFailure = e;
      throw e;
    }
    next++;
  }

  /** Fails if the receiver did: that is no fault of a source, so no other one is asked. */
  void failIfReceiverDid() throws IOException {
    if (sinkFailure != null) {
      throw sinkFailure;
    }
  }
}
