package dev.socifleet.fetchcache;

import dev.socifleet.fetchcache.store.SpanBytes;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A caller, whose right has been checked, who waits for one span. Given to once, asked by one
 * thread.
 */
final class Waiter {
  private final Caller caller;
  private final CompletableFuture<SpanBytes> result = new CompletableFuture<>();

  Waiter(Caller caller) {
    this.caller = caller;
  }

  Caller caller() {
    return caller;
  }

  /** Hands him bytes, which he is then a user of; unless he is gone. */
  void give(SpanBytes bytes) {
    bytes.retain();
    if (!result.complete(bytes)) {
      bytes.release();
    }
  }

  void refuse(Refusal why) {
    result.completeExceptionally(why);
  }

  boolean isGone() {
    return result.isCancelled();
  }

  /** The bytes; {@link #leave} releases them. */
  SpanBytes await(Duration patience) throws Refusal, InterruptedException {
    try {
      return result.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Refusal refusal) {
        throw refusal;
      }
      throw new IllegalStateException("a flight fails with a refusal only", e);
    } catch (TimeoutException e) {
      throw Refusal.registry(
          "the registry has not sent this span within " + patience.toSeconds() + " s");
    }
  }

  /** Has what he wanted, or wants it no more. To be called once. */
  void leave() {
    if (!result.cancel(false) && !result.isCompletedExceptionally()) {
      try {
        result.join().release();
      } catch (CancellationException e) {
        throw new IllegalStateException("a waiter leaves once", e);
      }
    }
  }
}
