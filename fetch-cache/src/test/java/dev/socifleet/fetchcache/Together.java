package dev.socifleet.fetchcache;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Calls under way at the same time. */
final class Together<T> implements AutoCloseable {
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Future<T>> calls = new ArrayList<>();

  void start(Callable<T> call) {
    calls.add(threads.submit(call));
  }

  /**
   * What they returned, in the order of their starts; an {@link ExecutionException} if one threw.
   */
  List<T> results() throws ExecutionException, InterruptedException, TimeoutException {
    List<T> results = new ArrayList<>();
    for (Future<T> call : calls) {
      results.add(call.get(120, TimeUnit.SECONDS));
    }
    return results;
  }

  /** What the call of this number threw. */
  Throwable failure(int call) throws InterruptedException, TimeoutException {
    try {
      T result = calls.get(call).get(120, TimeUnit.SECONDS);
      throw new AssertionError("it succeeded: " + result);
    } catch (ExecutionException e) {
      return Objects.requireNonNull(e.getCause());
    }
  }

  T result(int call) throws ExecutionException, InterruptedException, TimeoutException {
    return calls.get(call).get(120, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
