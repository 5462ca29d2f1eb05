package dev.socifleet.ztoc;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Decoders that are not in use, to be used again: each is about 350 KiB that would have to be
 * zeroed. It keeps as many as there are processors, and makes more when asked. Thread-safe.
 */
final class SpanDecoders {
  private static final BlockingQueue<SpanDecoder> IDLE =
      new ArrayBlockingQueue<>(Runtime.getRuntime().availableProcessors());

  private SpanDecoders() {}

  static SpanDecoder take() {
    SpanDecoder idle = IDLE.poll();
    return idle == null ? new SpanDecoder() : idle;
  }

  static void giveBack(SpanDecoder decoder) {
    decoder.forget();
    IDLE.offer(decoder);
  }
}
