package dev.socifleet.node.layers;

import dev.socifleet.ztoc.SpanDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;

/** Decoders of spans, as many as there are processors: more would only wait for one another. */
final class Decoders {
  /** A decoder and the window that a span begins with. About 400 KiB. */
  static final class Decoder {
    final SpanDecoder spans = new SpanDecoder();
    final byte[] window = new byte[Inflate.WINDOW];
  }

  private final Semaphore free = new Semaphore(Runtime.getRuntime().availableProcessors());
  private final ConcurrentLinkedQueue<Decoder> idle = new ConcurrentLinkedQueue<>();

  Decoder take() {
    free.acquireUninterruptibly();
    Decoder decoder = idle.poll();
    return decoder == null ? new Decoder() : decoder;
  }

  void giveBack(Decoder decoder) {
    idle.add(decoder);
    free.release();
  }
}
