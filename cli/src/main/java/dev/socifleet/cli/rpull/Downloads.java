package dev.socifleet.cli.rpull;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads of layers, a few at once: those that will be left to containerd come ahead while it
 * unpacks the ones below. Used by one thread.
 */
final class Downloads implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Downloads.class);

  /** As many as containerd's own client takes by default. */
  static final int AT_ONCE = 3;

  private static final Duration END = Duration.ofSeconds(5);

  @FunctionalInterface
  interface Download {
    /** Gives the number of bytes that came. */
    long run(ImageLayer layer) throws IOException;
  }

  private final Download download;
  private final ExecutorService threads;
  private final Map<Digest, Future<Long>> running = new HashMap<>();

  Downloads(Download download) {
    this.download = download;
    threads =
        Executors.newFixedThreadPool(
            AT_ONCE, Thread.ofPlatform().name("download-", 1).daemon().factory());
  }

  /** Begins a download when a thread is free, the earlier asked the sooner. */
  void ahead(ImageLayer layer) {
    running.computeIfAbsent(
        layer.blob().digest(),
        digest -> threads.submit((Callable<Long>) () -> download.run(layer)));
  }

  /** Waits until a layer is here. Gives the bytes that came for it, once. */
  long await(ImageLayer layer) throws IOException {
    ahead(layer);
    Future<Long> future = running.remove(layer.blob().digest());
    try {
      return future == null ? 0 : future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw new IOException(e);
      }
    } catch (CancellationException e) {
      throw new IOException(
          "cannot pull layer " + layer.blob().digest() + ": its download was ended", e);
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException(
          "cannot pull layer " + layer.blob().digest() + ": interrupted");
    }
  }

  /** A layer that came ahead isn't wanted: it is read lazily. */
  void unwanted(ImageLayer layer) {
    Future<Long> future = running.remove(layer.blob().digest());
    if (future != null) {
      future.cancel(true);
    }
  }

  /** Ends what runs still. */
  @Override
  public void close() {
    threads.shutdownNow();
    boolean interrupted = Thread.interrupted();
    try {
      // They write under the lease, which the caller ends next.
      if (!threads.awaitTermination(END.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("downloads didn't end within {} ms", END.toMillis());
      }
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
