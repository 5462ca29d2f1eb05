package dev.socifleet.fuse;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * An answer that comes later, from any thread. Its state has a bit for each thing that happens at
 * most once, in any order and on any thread:
 *
 * <ul>
 *   <li>RETURNED: the call of the file system is over, so it may hear of an interrupt
 *   <li>INTERRUPTED: the kernel says that nobody waits
 *   <li>ANSWERED
 *   <li>HELD: a payload was taken from the pool and not given back; the only bit that is cleared
 * </ul>
 */
final class DeferredAnswer extends Answer {
  private static final int RETURNED = 1;
  private static final int INTERRUPTED = 2;
  private static final int ANSWERED = 4;
  private static final int HELD = 8;

  private final Runnable onInterrupt;
  private final AtomicInteger state = new AtomicInteger();

  DeferredAnswer(Session session, Answer request, Runnable onInterrupt) {
    super(session);
    beginAs(request);
    this.onInterrupt = onInterrupt;
  }

  /** The state before. */
  private int set(int bit) {
    return state.getAndAccumulate(bit, (old, more) -> old | more);
  }

  private boolean clearHeld() {
    return (state.getAndAccumulate(HELD, (old, bit) -> old & ~bit) & HELD) != 0;
  }

  private boolean claim() {
    boolean first = (set(ANSWERED) & ANSWERED) == 0;
    if (first) {
      session.pending().remove(this);
    }
    return first;
  }

  void returned() {
    if ((set(RETURNED) & ~HELD) == INTERRUPTED) {
      tellInterrupted();
    }
  }

  void interrupt() {
    if ((set(INTERRUPTED) & ~HELD) == RETURNED) {
      tellInterrupted();
    }
  }

  private void tellInterrupted() {
    session.counters().interrupts.increment();
    try {
      onInterrupt.run();
    } catch (Throwable e) {
      session.failed(kind(), "could not be interrupted", e);
    }
  }

  /**
   * The file system threw after it had deferred: answered with EIO if it isn't yet. A payload is
   * left to whoever may be writing to it, and never used again.
   */
  void abandon() {
    if (claim()) {
      Message message = session.takeSmall();
      deliver(message, Errno.IO, 0);
      session.giveSmall(message);
    }
    if (clearHeld()) {
      session.payloads().giveUp();
    }
  }

  @Override
  Message small() {
    return session.takeSmall();
  }

  @Override
  Message large() {
    if ((state.get() & ANSWERED) != 0) {
      throw new IllegalStateException("this request was answered before: a reply is used once");
    }
    Message message = session.payloads().take(/* mayWait= */ !session.isReading());
    if (message == null) {
      session.counters().exhausted.increment();
      sendError(Errno.AGAIN);
      throw new IllegalStateException(
          "no memory for a deferred reply's content got free, so it was answered with EAGAIN");
    }
    set(HELD);
    return message;
  }

  @Override
  void send(Message message, int errno, int length) {
    if (claim()) {
      deliver(message, errno, length);
    }
    Message payload = forgetPayload();
    if (message != payload) {
      session.giveSmall(message);
    }
    if (payload != null && clearHeld()) {
      session.payloads().give(payload);
    }
  }

  private void deliver(Message message, int errno, int length) {
    if (session.device().enter()) {
      try {
        write(message, errno, length);
      } finally {
        session.device().leave();
      }
    }
  }

  @Override
  public Reply defer(Runnable interrupted) {
    throw new IllegalStateException("this reply is deferred already");
  }
}
