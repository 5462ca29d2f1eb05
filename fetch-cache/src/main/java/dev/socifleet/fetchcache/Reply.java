package dev.socifleet.fetchcache;

import dev.socifleet.fetchcache.store.SpanBytes;
import io.micrometer.core.instrument.Counter;
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
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request, written by one virtual thread that waits for the reader: a few pieces
 * of a span are on their way at most. A reader who takes nothing for too long is cut off.
 */
final class Reply implements AutoCloseable {
  private static final int PIECE = 256 << 10;
  private static final int PIECES_UNDER_WAY = 4;

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
  private final Deque<CompletableFuture<Boolean>> underWay = new ArrayDeque<>();
  private volatile long waitingSince;
  private volatile boolean waiting;
  private volatile boolean begun;
  private boolean over;
  private int status;
  private @Nullable CompletableFuture<Boolean> mentioned;

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

  /** The status, also of an error told in its middle; 0 for one that nobody has got whole. */
  int status() {
    return status;
  }

  /** Whether it has been ended, or refused. */
  boolean over() {
    return over;
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
    Wire.cut(request);
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
      CompletableFuture<Boolean> sent = write(piece);
      // Also when it failed: from then on, the network doesn't look at the bytes any more.
      var _ = sent.whenComplete((done, failure) -> span.release());
      await(sent);
      bytes.increment(length);
    }
  }

  void send(byte[] small) throws ReaderGoneException, InterruptedException {
    await(write(Buffer.buffer(small)));
  }

  /**
   * Sends something that needn't arrive, without waiting for it, and nothing while the last such
   * thing is under way; of all methods only this one is for another thread, which the caller keeps
   * from the others' time.
   */
  void mention(byte[] small) {
    if (mentioned == null || mentioned.isDone()) {
      mentioned = write(Buffer.buffer(small));
    }
  }

  private CompletableFuture<Boolean> write(Buffer piece) {
    return Wire.send(request, () -> request.response().write(piece));
  }

  private void await(CompletableFuture<Boolean> sent)
      throws ReaderGoneException, InterruptedException {
    underWay.add(sent);
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
    end(200);
  }

  /**
   * @param outcome what the reader was told in the end
   */
  void end(int outcome) throws ReaderGoneException, InterruptedException {
    over = true;
    underWay.add(Wire.send(request, () -> request.response().end()));
    while (!underWay.isEmpty()) {
      awaitOldest();
    }
    status = outcome;
    if (RequestBody.expected(request) && !request.isEnded()) {
      Wire.endAfterAnswer(request);
    }
  }

  /** An answer without a body. */
  void endWith(int bareStatus) {
    begun = true;
    over = true;
    status = bareStatus;
    var _ = Wire.send(request, () -> request.response().setStatusCode(bareStatus).end());
  }

  void refuse(Refusal why) {
    begun = true;
    over = true;
    status = why.status();
    RefusalAnswer.send(request, why);
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
