package dev.socifleet.oci;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An answer's body as a blocking stream. A read fails when no byte comes for the stall time, or
 * when the deadline of the whole body passes, where there is one: the JDK's own stream would wait
 * for ever. Holds at most {@value #AHEAD} pieces (of 16 KiB, as the JDK's client hands them over).
 *
 * <p>Read by one thread; any thread may close it, which ends a waiting read. Closed before its end
 * it takes the connection with it; read to its end it leaves the connection for the next request.
 */
final class AnswerBody extends InputStream implements BodySubscriber<AnswerBody> {
  private static final int AHEAD = 16;
  private static final List<ByteBuffer> END = List.of();
  private static final Duration RELEASE = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(AnswerBody.class);

  private final Duration stall;
  private final CompletableFuture<AnswerBody> body = new CompletableFuture<>();
  private final BlockingQueue<List<ByteBuffer>> arrived = new LinkedBlockingQueue<>();
  private final ArrayDeque<ByteBuffer> current = new ArrayDeque<>();
  private volatile Flow.@Nullable Subscription subscription;
  private volatile @Nullable Throwable failure;
  private volatile boolean closed;
  private volatile boolean complete;
  private long deadline = Long.MAX_VALUE;

  private AnswerBody(Duration stall) {
    this.stall = stall;
  }

  static BodyHandler<AnswerBody> handler(Duration stall) {
    return _ -> new AnswerBody(stall);
  }

  /** From now on the rest of the body has this time altogether. */
  void endWithin(Duration time) {
    deadline = System.nanoTime() + time.toNanos();
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
    while (current.isEmpty()) {
      if (closed) {
        throw new IOException("the body was closed");
      }
      List<ByteBuffer> next = next();
      if (next.isEmpty()) {
        Throwable why = failure;
        if (why != null) {
          throw new IOException(why.getMessage() == null ? why.toString() : why.getMessage(), why);
        }
        if (closed) {
          throw new IOException("the body was closed");
        }
        arrived.add(END); // for the next read
        return -1;
      }
      for (ByteBuffer buffer : next) {
        if (buffer.hasRemaining()) {
          current.add(buffer);
        }
      }
    }
    ByteBuffer buffer = current.getFirst();
    int count = Math.min(length, buffer.remaining());
    buffer.get(into, offset, count);
    if (!buffer.hasRemaining()) {
      current.removeFirst();
    }
    return count;
  }

  private List<ByteBuffer> next() throws IOException {
    boolean bounded = deadline != Long.MAX_VALUE;
    long left = bounded ? deadline - System.nanoTime() : Long.MAX_VALUE;
    long wait = Math.min(left, stall.toNanos());
    try {
      List<ByteBuffer> next = arrived.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
      if (next == null) {
        close();
        throw new HttpTimeoutException(
            left <= stall.toNanos()
                ? "the body did not end in time"
                : "no byte came for " + stall.toMillis() / 1000.0 + " s");
      }
      Flow.Subscription source = subscription;
      if (!next.isEmpty() && source != null) {
        source.request(1);
      }
      return next;
    } catch (InterruptedException e) {
      close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading a body");
    }
  }

  /**
   * Ends the use of a body of which no more is wanted. The connection is kept where at most so many
   * bytes are left and they come in a moment.
   */
  void release(int most) {
    try {
      endWithin(RELEASE);
      long left = most;
      for (int count; left >= 0 && (count = read(new byte[4096])) >= 0; ) {
        left -= count;
      }
    } catch (IOException e) {
      LOG.trace("a body that nobody wanted broke off: {}", e.getMessage());
    }
    close();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Flow.Subscription source = subscription;
    if (source != null && !complete) {
      source.cancel();
    }
    arrived.add(END);
  }

  @Override
  public CompletionStage<AnswerBody> getBody() {
    return body;
  }

  @Override
  public void onSubscribe(Flow.Subscription source) {
    subscription = source;
    if (closed) {
      source.cancel();
    } else {
      source.request(AHEAD);
    }
    body.complete(this);
  }

  @Override
  public void onNext(List<ByteBuffer> item) {
    if (!item.isEmpty()) {
      arrived.add(item);
    }
  }

  @Override
  public void onError(Throwable throwable) {
    failure = throwable;
    complete = true;
    body.complete(this);
    arrived.add(END);
  }

  @Override
  public void onComplete() {
    complete = true;
    arrived.add(END);
  }
}
