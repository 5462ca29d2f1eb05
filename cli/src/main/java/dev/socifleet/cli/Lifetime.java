package dev.socifleet.cli;

import dev.socifleet.service.Parts;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The life of a command that starts things: what it started is ended in reverse order, once,
 * whether it comes to its end, fails, or is told to end by SIGINT, SIGTERM or SIGHUP at any moment.
 *
 * <p>A signal interrupts the command's thread, which is expected to leave its try block; if it
 * doesn't in time, the signal's own thread ends what was started. Nothing can be started any more
 * then. Begun, used and closed by the command's thread.
 */
public final class Lifetime implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 20;

  private final Thread command = Thread.currentThread();
  private final Thread hook = new Thread(this::end, "end");
  private final CountDownLatch left = new CountDownLatch(1);
  private final Parts parts = new Parts();
  private final Object state = new Object();
  private boolean ending;

  private Lifetime() {}

  public static Lifetime begin() {
    Lifetime life = new Lifetime();
    Runtime.getRuntime().addShutdownHook(life.hook);
    return life;
  }

  /** Makes something that has to be closed at the end. */
  @FunctionalInterface
  public interface Start<T extends AutoCloseable, E extends Exception> {
    T start() throws E, InterruptedException;
  }

  /**
   * Starts a part; it is known, or was never started, when the end comes. Wait for it to be ready
   * outside of this.
   *
   * @throws InterruptedException the end has come
   */
  public <T extends AutoCloseable, E extends Exception> T start(Start<T, E> start)
      throws E, InterruptedException {
    synchronized (parts) {
      synchronized (state) {
        if (ending) {
          throw new InterruptedException("the command ends");
        }
      }
      return parts.add(start.start());
    }
  }

  /** Blocks until a signal comes. */
  public void awaitSignal() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  /** On the signal's thread. */
  private void end() {
    synchronized (state) {
      if (!ending) {
        ending = true;
        command.interrupt();
      }
    }
    try {
      if (left.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeParts();
  }

  private void closeParts() {
    synchronized (parts) {
      parts.close();
    }
  }

  @Override
  public void close() {
    synchronized (state) {
      ending = true;
    }
    boolean interrupted = Thread.interrupted(); // closing waits, and must not be cut short
    closeParts();
    left.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      interrupted = true; // the process is ending
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
