package dev.socifleet.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Work that Ctrl-C, SIGTERM or a time limit ends by an interrupt, after which it may clean up: what
 * it took in containerd is given back before the process ends.
 */
public final class Interruptible {
  private static final Duration CLEANUP = Duration.ofSeconds(10);

  private Interruptible() {}

  /**
   * Does the work in a thread of its own and waits for it.
   *
   * @param limit how long it may take; zero for no limit
   * @throws CommandFailure when the limit was reached
   */
  public static <T> T run(String what, Duration limit, Callable<T> work) throws Exception {
    FutureTask<T> task = new FutureTask<>(work);
    Thread worker = Thread.ofPlatform().name("work").daemon().start(task);
    Thread atShutdown = new Thread(() -> end(worker));
    Runtime.getRuntime().addShutdownHook(atShutdown);
    try {
      return limit.isZero() ? task.get() : task.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      end(worker);
      throw new CommandFailure(
          what + " was not done within " + limit.toMillis() + " ms; give it more with --timeout");
    } catch (InterruptedException e) {
      end(worker);
      throw e;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw e;
      }
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(atShutdown);
      } catch (IllegalStateException e) {
        // The process is ending: the hook runs.
      }
    }
  }

  private static void end(Thread worker) {
    worker.interrupt();
    try {
      worker.join(CLEANUP);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
