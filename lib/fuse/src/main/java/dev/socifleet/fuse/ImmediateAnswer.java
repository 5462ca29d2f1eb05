package dev.socifleet.fuse;

import org.jspecify.annotations.Nullable;

/** A reading thread's answer to the request it has just read; reused for the next. */
final class ImmediateAnswer extends Answer {
  private final Message small = Message.small();
  private final Message large;
  private boolean open;
  private @Nullable DeferredAnswer deferred;

  ImmediateAnswer(Session session) {
    super(session);
    this.large = Message.pages(session.maxPayload());
  }

  void open(long unique, RequestKind kind, boolean plus) {
    begin(unique, kind, plus);
    open = true;
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
  void send(Message message, int errno, int length) {
    requireOpen();
    open = false;
    write(message, errno, length);
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
