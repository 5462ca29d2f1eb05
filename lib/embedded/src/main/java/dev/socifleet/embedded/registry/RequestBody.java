package dev.socifleet.embedded.registry;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request's body as a blocking stream. The event loop hands over what was asked for and no more,
 * so a slow disk slows the sender. Made on the event loop, read by one thread.
 */
final class RequestBody extends InputStream {
  private static final int AHEAD = 8;
  private static final long LARGEST_UNWANTED = 1 << 20;

  private sealed interface Arrival {
    record Bytes(Buffer buffer) implements Arrival {}

    record End() implements Arrival {}

    record Broken(Throwable cause) implements Arrival {}
  }

  private final HttpServerRequest request;
  private final Context context;
  private final long timeoutSeconds;

  /** Holds at most {@link #AHEAD} buffers and an end: more isn't asked for. */
  private final BlockingQueue<Arrival> arrived = new LinkedBlockingQueue<>();

  private byte[] current = new byte[0];
  private int at;
  private @Nullable Arrival last;

  RequestBody(HttpServerRequest request, Context context, long timeoutSeconds) {
    this.request = request;
    this.context = context;
    this.timeoutSeconds = timeoutSeconds;
    request.handler(buffer -> arrived.add(new Arrival.Bytes(buffer)));
    request.endHandler(_ -> arrived.add(new Arrival.End()));
    request.exceptionHandler(cause -> arrived.add(new Arrival.Broken(cause)));
    request.pause();
    request.fetch(AHEAD);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (at == current.length) {
      if (last == null) {
        next();
      }
      if (last instanceof Arrival.Broken(Throwable cause)) {
        throw new IOException("the sender went away: " + cause.getMessage(), cause);
      }
      if (last != null) {
        return -1;
      }
    }
    int count = Math.min(length, current.length - at);
    System.arraycopy(current, at, into, offset, count);
    at += count;
    return count;
  }

  private void next() throws IOException {
    Arrival arrival;
    try {
      arrival = arrived.poll(timeoutSeconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while receiving", e);
    }
    switch (arrival) {
      case null -> throw new IOException("the sender stalled for " + timeoutSeconds + " s");
      case Arrival.Bytes(Buffer buffer) -> {
        current = buffer.getBytes();
        at = 0;
        context.runOnContext(_ -> request.fetch(1));
      }
      case Arrival.End end -> last = end;
      case Arrival.Broken broken -> last = broken;
    }
  }

  /**
   * Lets what nobody wants run out, so that the connection can take the next request; a long rest
   * isn't worth it and ends the connection. On the event loop, after the answer.
   */
  void drain() {
    if (request.isEnded()) {
      return;
    }
    long[] unwanted = {0};
    request.handler((Buffer buffer) -> {
      unwanted[0] += buffer.length();
      if (unwanted[0] > LARGEST_UNWANTED) {
        request.connection().close();
      }
    });
    request.resume();
  }
}
