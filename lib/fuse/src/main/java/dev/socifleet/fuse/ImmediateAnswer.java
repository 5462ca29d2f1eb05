package dev.socifleet.fuse;

import org.jspecify.annotations.Nullable;

/**
 * A reading thread's answer to the request it has just read; reused for the next. It is kept until
 * the file system's call is over and then written by {@link #deliver}: one call of write(2) at one
 * shallow place, which the compiler inlines to the end. Below a file system's own calls it would
 * sometimes give up half-way, and allocate for each call.
 */
final class ImmediateAnswer extends Answer {
  private final Message small = Message.small();
  private final Message large;
  private boolean open;
  private @Nullable Message toSend;
  private int error;
  private int length;
  private @Nullable DeferredAnswer deferred;

  ImmediateAnswer(Session session) {
    super(session);
    this.large = Message.pages(session.maxPayload());
  }

  void open(long unique, RequestKind kind, boolean plus) {
    begin(unique, kind, plus);
    open = true;
    toSend = null;
    deferred = null;
  }

  /** Whether there is neither an answer nor somebody who promised one. */
  boolean isOpen() {
    return open;
  }

  /** The kernel wants no answer. */
  void drop() {
    open = false;
  }

  /** What the file system made of this request, if it was that. */
  @Nullable DeferredAnswer deferred() {
    return deferred;
  }

  @Override
  Message small() {
    return small;
  }

  @Override
  Message large() {
    return large;
  }

  @Override
  void send(Message message, int errno, int bodyLength) {
    requireOpen();
    open = false;
    toSend = message;
    error = errno;
    length = bodyLength;
  }

  /** Sends what there is to be sent. */
  void deliver() {
    Message message = toSend;
    if (message != null) {
      toSend = null;
      write(message, error, length);
    }
  }

  @Override
  public Reply defer(Runnable interrupted) {
    requireOpen();
    DeferredAnswer answer = new DeferredAnswer(session, this, interrupted);
    session.pending().add(answer);
    deferred = answer;
    open = false;
    return answer;
  }

  private void requireOpen() {
    if (!open) {
      throw new IllegalStateException(
          "this request was answered or deferred before: a reply is used once");
    }
  }
}
