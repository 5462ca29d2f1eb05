package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.SpanFrames;
import dev.socifleet.fetchcache.Reply.ReaderGoneException;
import dev.socifleet.fetchcache.store.SpanBytes;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * The answer to a request for many spans, in {@link SpanFrames}. One thread sends; while it has
 * nothing to send, {@link #beat}, called by another one, says that it is still at it. The answer
 * begins with the first frame, so what fails before that has a status of its own.
 */
final class FramedReply implements AutoCloseable {
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

  private final Reply reply;
  private final Beats beats;
  private boolean busy;
  private long sentAt = System.nanoTime();

  FramedReply(Reply reply, Beats beats) {
    this.reply = reply;
    this.beats = beats;
    beats.add(this);
  }

  void span(SpanBytes bytes) throws ReaderGoneException, InterruptedException {
    takeFloor();
    reply.send(SpanFrames.spanHead(bytes.length()));
    reply.send(bytes);
    giveFloor();
  }

  void end() throws ReaderGoneException, InterruptedException {
    takeFloor();
    reply.send(SpanFrames.end());
    reply.end();
  }

  /** Ends it with what is wrong: as its status, or as a frame if it has begun. */
  void refuse(Refusal why) throws ReaderGoneException, InterruptedException {
    synchronized (this) {
      busy = true;
      if (!reply.begun()) {
        reply.refuse(why);
        return;
      }
    }
    reply.send(SpanFrames.error(why.status(), why.code(), why.text()));
    reply.end(why.status());
  }

  /** From here on this thread sends, and nobody else. */
  private synchronized void takeFloor() {
    busy = true;
    begin();
  }

  private synchronized void giveFloor() {
    sentAt = System.nanoTime();
    busy = false;
  }

  synchronized void beat() {
    if (busy || System.nanoTime() - sentAt < QUIET_NANOS) {
      return;
    }
    begin();
    reply.mention(SpanFrames.stillAtIt());
    sentAt = System.nanoTime();
  }

  private void begin() {
    if (!reply.begun()) {
      reply.begin(SpanFrames.MEDIA_TYPE, OptionalLong.empty(), Map.of());
    }
  }

  @Override
  public synchronized void close() {
    busy = true;
    beats.remove(this);
  }
}
