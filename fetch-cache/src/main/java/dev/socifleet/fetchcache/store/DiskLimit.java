package dev.socifleet.fetchcache.store;

import dev.socifleet.service.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the files of the database within the limit: what counts is what lies on disk, garbage and
 * RocksDB's own records included.
 *
 * <p>Values fill a part of the limit (see {@link SpanStore}); those that the index lets go leave
 * garbage in their blob file. When the files near the limit, the oldest blob files are collected:
 * the values in them that still count are written again, and the files go. A few at a time, so that
 * the room for writing before deleting is small. Whatever happens, a value that would lead over the
 * limit, or leave the file system without room, isn't stored; what others are about to write, and
 * what is being written again, counts before it is on disk.
 */
public final class DiskLimit implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DiskLimit.class);

  /** Shares of the limit. */
  private static final double COLLECT_FROM = 0.96;

  private static final double COLLECT_TO = 0.95;
  private static final double COLLECTED_AT_ONCE = 0.02;
  private static final double ADMITTED_TO = 1.00;

  /** Room that is left to others on the file system. */
  private static final long LEAST_FREE_BYTES = 128L << 20;

  private static final long PERIOD_MILLIS = 1_000;
  private static final long FLUSH_AFTER_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Reads the index again after a reopening. */
  @FunctionalInterface
  interface Reload {
    void run() throws StoreException;
  }

  private record BlobFile(String name, long bytes) {}

  /** What was found on disk, and how much had been written by then. */
  private record Measured(long bytes, long freeBytes, List<BlobFile> blobFiles, long written) {}

  private final Database database;
  private final long limitBytes;
  private final Semaphore wake = new Semaphore(0);
  private final AtomicLong written = new AtomicLong();

  /** Bytes that may come to those written: values that were let in, and those collected now. */
  private final AtomicLong promised = new AtomicLong();

  private final Thread thread;
  private volatile Measured measured;
  private volatile boolean failed;
  private volatile boolean closed;
  private @Nullable Reload reload;
  private Runnable deleteEvicted = () -> {};

  public DiskLimit(Database database, Metrics metrics) throws IOException {
    this.database = database;
    limitBytes = database.limitBytes();
    measured = measure();
    thread = Thread.ofPlatform().name("store-limit").daemon().unstarted(this::keep);
    metrics.gauge("soci_cache_limit_bytes", "What the files may have", () -> limitBytes);
    metrics.gauge("soci_cache_disk_bytes", "What the files have", () -> measured.bytes());
    metrics.gauge(
        "soci_cache_free_disk_bytes",
        "What is free on the cache's file system",
        () -> measured.freeBytes());
  }

  void start(Reload reloading, Runnable deleting) {
    reload = reloading;
    deleteEvicted = deleting;
    thread.start();
  }

  /** Takes room for a value that is about to be stored, if there is any; then {@link #settle}. */
  boolean reserve(int bytes) {
    long ahead = promised.addAndGet(bytes);
    Measured last = measured;
    long since = written.get() - last.written() + ahead;
    boolean fits =
        !failed
            && last.bytes() + since <= limitBytes * ADMITTED_TO
            && last.freeBytes() - since >= LEAST_FREE_BYTES;
    if (!fits) {
      promised.addAndGet(-bytes);
      wake.release();
    }
    return fits;
  }

  /**
   * @param bytes that were reserved
   * @param wrote how many of them were written
   */
  void settle(int bytes, int wrote) {
    long total = written.addAndGet(wrote); // first: in between they count twice, not never
    promised.addAndGet(-bytes);
    Measured last = measured;
    if (last.bytes() + total - last.written() > limitBytes * COLLECT_FROM) {
      wake.release();
    }
  }

  /** RocksDB may take no more writes now: nothing is stored until it was looked after. */
  void writeFailed() {
    failed = true;
    wake.release();
  }

  private void keep() {
    long flushedAt = System.nanoTime();
    long flushed = 0;
    long retryAt = System.nanoTime();
    while (!closed) {
      try {
        var _ = wake.tryAcquire(PERIOD_MILLIS, TimeUnit.MILLISECONDS);
        wake.drainPermits();
        if (failed && System.nanoTime() - retryAt > 0) {
          retryAt = System.nanoTime() + RETRY_NANOS;
          recover();
        }
        deleteEvicted.run();
        if (System.nanoTime() - flushedAt > FLUSH_AFTER_NANOS && written.get() != flushed) {
          flushed = written.get();
          flushedAt = System.nanoTime();
          flush();
        }
        measured = measure();
        collect();
      } catch (InterruptedException e) {
        return;
      } catch (IOException | RuntimeException e) { // the edge of the thread: it must go on
        LOG.warn("the cache's disk space isn't looked after: {}", e.getMessage());
      }
    }
  }

  /** After a failed write: a flush that succeeds, or a reopening. */
  private void recover() throws IOException {
    try {
      flush();
    } catch (StoreException e) {
      LOG.warn("the cache can't write ({}): opening it again", e.getMessage());
      database.reopen();
      if (reload != null) {
        reload.run();
      }
    }
    failed = false;
  }

  private void flush() throws StoreException {
    database.here(opened -> {
      opened.flush();
      return true;
    });
  }

  private void collect() throws IOException {
    if (measured.bytes() <= limitBytes * COLLECT_FROM) {
      return;
    }
    try {
      // Each pass looks at the oldest files only, and all files are older than what it writes.
      for (int pass = measured.blobFiles().size(); pass > 0; pass--) {
        if (closed || measured.bytes() <= limitBytes * COLLECT_TO) {
          return;
        }
        collectOldest(measured.blobFiles());
      }
    } finally {
      database.here(opened -> {
        opened.collectValuesBefore(0);
        return true;
      });
    }
  }

  private void collectOldest(List<BlobFile> files) throws IOException {
    int count = 0;
    long bytes = 0;
    for (BlobFile file : files) {
      if (count > 0 && bytes + file.bytes() > limitBytes * COLLECTED_AT_ONCE) {
        break;
      }
      count++;
      bytes += file.bytes();
    }
    // Rounded down to this number of files, also when one or two have been added by then.
    double share = Math.min(1.0, (count + 0.5) / Math.max(1, files.size()));
    promised.addAndGet(bytes); // at the worst, all of it is written again before any of it goes
    try {
      database.here(opened -> {
        opened.collectValuesBefore(share);
        opened.compactValues();
        return true;
      });
      measured = measure();
    } finally {
      promised.addAndGet(-bytes);
    }
  }

  /** What the files have now; what is in memory counts as written later. */
  private Measured measure() throws IOException {
    long before = written.get();
    long unflushed;
    try {
      unflushed = database.here(OpenDatabase::unflushedBytes);
    } catch (StoreException e) {
      unflushed = 0; // closed or failing: nothing comes from memory
    }
    List<BlobFile> blobFiles = new ArrayList<>();
    long bytes = unflushed;
    List<Path> files;
    try (Stream<Path> all = Files.list(database.files())) {
      files = all.toList();
    }
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (name.endsWith(".blob")) {
        blobFiles.add(new BlobFile(name, size(file)));
      } else {
        bytes += size(file);
      }
    }
    bytes += blobFiles.stream().mapToLong(BlobFile::bytes).sum();
    // The names are numbers of equal length.
    blobFiles.sort(Comparator.comparing(BlobFile::name));
    long free = Files.getFileStore(database.files()).getUsableSpace() - unflushed;
    return new Measured(bytes, free, List.copyOf(blobFiles), before);
  }

  private static long size(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0; // deleted since it was listed
    }
  }

  @Override
  public void close() {
    closed = true;
    wake.release();
    if (thread.isAlive()) {
      try {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
