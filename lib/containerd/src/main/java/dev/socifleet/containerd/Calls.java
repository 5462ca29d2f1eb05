package dev.socifleet.containerd;

import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.util.Optional;

/** Makes calls whose failures say what they were for. */
final class Calls {
  /** For calls that only look at or change records; a garbage collection may hold them up. */
  static final Duration SOON = Duration.ofMinutes(2);

  @FunctionalInterface
  interface Call<T> {
    T make() throws StatusException;
  }

  private Calls() {}

  /** Makes a call; {@code action} completes "cannot …" where it fails. */
  static <T> T call(String action, Call<T> call) throws ContainerdException {
    try {
      return call.make();
    } catch (StatusException e) {
      throw new ContainerdException(action, e.getStatus());
    }
  }

  /** The same for what may not be there: empty then. */
  static <T> Optional<T> find(String action, Call<T> call) throws ContainerdException {
    try {
      return Optional.of(call(action, call));
    } catch (ContainerdException e) {
      if (e.code() == Status.Code.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @FunctionalInterface
  interface Cleanup {
    void run() throws ContainerdException;
  }

  /** Cleans up even when the thread was interrupted, and leaves it interrupted then. */
  static void uninterrupted(Cleanup cleanup) throws ContainerdException {
    boolean interrupted = Thread.interrupted();
    try {
      cleanup.run();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
