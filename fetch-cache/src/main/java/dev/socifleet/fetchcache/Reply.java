package dev.socifleet.fetchcache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.fetchcache.store.SpanBytes;
import io.micrometer.core.instrument.Counter;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The answer to one request, written by one virtual thread that waits for the reader: a few pieces
 * of a span are on their way at most. A reader who takes nothing for too long is cut off.
 */
final class Reply implements AutoCloseable {
  private static final int PIECE = 256 << 10;
  private static final int PIECES_UNDER_WAY = 4;
  private static final JsonMapper JSON = new JsonMapper();

  /** The reader is gone, or was sent away: there is nobody to tell. */
  static final class ReaderGoneException extends IOException {
    ReaderGoneException(String message) {
      super(message);
    }
  }

  private final HttpServerRequest request;
  private final Readers readers;
  private final Counter bytes;
  private final Duration patience;
  private final Deque<CompletableFuture<Void>> underWay = new ArrayDeque<>();
  private volatile long waitingSince;
  private volatile boolean waiting;
  private boolean begun;

  /**
   * @param patience how long the reader may take nothing
   */
  Reply(HttpServerRequest request, Readers readers, Counter bytes, Duration patience) {
    this.request = request;
    this.readers = readers;
    this.bytes = bytes;
    this.patience = patience;
    readers.add(this);
  }

  boolean begun() {
    return begun;
  }

  /** How long the reader has taken nothing of what is there for him. */
  Duration stalledFor() {
    return waiting ? Duration.ofNanos(System.nanoTime() - waitingSince) : Duration.ZERO;
  }

  /** Ends the connection; called by any thread. */
  void cut() {
    readers.countCut();
    disconnect();
  }

  private void disconnect() {
    var _ = request.connection().close();
  }

  /** Sends the head of an answer whose body follows. */
  void begin(String contentType, OptionalLong length, Map<String, String> headers) {
    begun = true;
    HttpServerResponse response = request.response();
    response.setStatusCode(200).putHeader("Content-Type", contentType);
    headers.forEach(response::putHeader);
    if (length.isPresent()) {
      response.putHeader("Content-Length", Long.toString(length.getAsLong()));
    } else {
      response.setChunked(true);
    }
  }

  /** Sends bytes, which are released when the last of them is with the network. */
  void send(SpanBytes span) throws ReaderGoneException, InterruptedException {
    for (int at = 0; at < span.length(); at += PIECE) {
      int length = Math.min(PIECE, span.length() - at);
      Buffer piece = BufferInternal.buffer(span.retain().slice(at, length));
      Future<Void> sent = write(piece);
      // Also when it failed: from then on, the network doesn't look at the bytes any more.
      sent.onComplete(done -> span.release());
      await(sent);
      bytes.increment(length);
    }
  }

  void send(byte[] small) throws ReaderGoneException, InterruptedException {
    await(write(Buffer.buffer(small)));
  }

  private Future<Void> write(Buffer piece) {
    try {
      return request.response().write(piece);
    } catch (IllegalStateException e) {
      return Future.failedFuture(e); // the connection was closed
    }
  }

  private void await(Future<Void> sent) throws ReaderGoneException, InterruptedException {
    underWay.add(sent.toCompletionStage().toCompletableFuture());
    while (underWay.size() > PIECES_UNDER_WAY) {
      awaitOldest();
    }
  }

  private void awaitOldest() throws ReaderGoneException, InterruptedException {
    waitingSince = System.nanoTime();
    waiting = true;
    try {
      underWay.remove().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new ReaderGoneException("the reader is gone: " + e.getCause());
    } catch (TimeoutException e) {
      cut();
      throw new ReaderGoneException("the reader took nothing for " + patience.toSeconds() + " s");
    } finally {
      waiting = false;
    }
  }

  /** Ends an answer that had a body. */
  void end() throws ReaderGoneException, InterruptedException {
    try {
      underWay.add(request.response().end().toCompletionStage().toCompletableFuture());
    } catch (IllegalStateException e) {
      throw new ReaderGoneException("the reader is gone: " + e.getMessage());
    }
    while (!underWay.isEmpty()) {
      awaitOldest();
    }
  }

  /** An answer without a body. */
  void status(int status) {
    begun = true;
    var _ = request.response().setStatusCode(status).end();
  }

  void refuse(Refusal why) {
    begun = true;
    refuse(request, why);
  }

  /** Says why not. The body of the request may not have been read: then the connection ends. */
  static void refuse(HttpServerRequest request, Refusal why) {
    HttpServerResponse response = request.response();
    why.retryAfter()
        .ifPresent(after ->
            response.putHeader("Retry-After", Long.toString(Math.max(1, after.toSeconds()))));
    boolean last = RequestBody.expected(request) && !request.isEnded();
    if (last) {
      response.putHeader("Connection", "close");
    }
    if (why.status() == 401) {
      response.putHeader("WWW-Authenticate", "Bearer");
    }
    String body;
    try {
      body =
          JSON.writeValueAsString(
                  JSON.createObjectNode().put("code", why.code()).put("message", why.text()))
              + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of texts is always JSON", e);
    }
    Future<Void> sent =
        response
            .setStatusCode(why.status())
            .putHeader("Content-Type", "application/json")
            .end(body);
    if (last) {
      sent.onComplete(done -> request.connection().close());
    }
  }

  /** Breaks off an answer that has begun, so that nobody takes it for whole. */
  void abort() {
    disconnect();
  }

  @Override
  public void close() {
    readers.remove(this);
  }
}
