package dev.socifleet.fetchcache.store;

import dev.socifleet.service.RocksLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cache's RocksDB: work on it runs on a few platform threads (native code holds its thread,
 * also a virtual one's carrier), and none runs after the close. Thread-safe.
 *
 * <pre>
 * directory/lock                    held by the process that uses it
 * directory/librocksdbjni-*         RocksDB's code, while the process runs
 * directory/db/                     the database
 * directory/db.broken-&lt;time&gt;/       one that couldn't be opened; the last one is kept for a look
 * </pre>
 */
public final class Database implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Database.class);
  private static final String BROKEN = "db.broken-";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS", Locale.ROOT);

  /** Something done with the open database. */
  @FunctionalInterface
  interface Work<T extends @Nullable Object> {
    T on(OpenDatabase database) throws RocksDBException;
  }

  private final Path directory;
  private final long limitBytes;
  private final FileChannel lockFile;
  private final ThreadPoolExecutor readers;
  private final ThreadPoolExecutor writers;
  private final ReentrantReadWriteLock guard = new ReentrantReadWriteLock();
  private @Nullable OpenDatabase open;

  /** Why nothing can be done with it; null while it is open. */
  private volatile @Nullable String whyClosed;

  private Database(Path directory, long limitBytes, FileChannel lockFile) throws IOException {
    this.directory = directory;
    this.limitBytes = limitBytes;
    this.lockFile = lockFile;
    int processors = Runtime.getRuntime().availableProcessors();
    readers = pool("store-read-", Math.clamp(processors * 2L, 4, 32), 4096);
    writers = pool("store-write-", 2, 1024);
    open = openOrMoveAside();
  }

  /**
   * Opens the database in a directory, or makes it. One that is broken is moved aside, with a line
   * in the log, and an empty one takes its place.
   *
   * @param limitBytes what its files may have together
   * @throws IOException when the directory can't be used, or another process uses it
   */
  public static Database open(Path directory, long limitBytes) throws IOException {
    FileChannel lockFile;
    try {
      Files.createDirectories(directory);
      lockFile =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new IOException("cannot use " + directory + " for the cache: " + e, e);
    }
    try {
      lock(directory, lockFile);
      RocksLibrary.load(directory);
      return new Database(directory, limitBytes, lockFile);
    } catch (IOException | RuntimeException e) {
      lockFile.close();
      throw e;
    }
  }

  private static void lock(Path directory, FileChannel lockFile) throws IOException {
    FileLock lock;
    try {
      lock = lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null; // this very process has it
    }
    if (lock == null) {
      throw new IOException(
          "another fetch-cache uses " + directory + "; give each a directory of its own");
    }
  }

  private static ThreadPoolExecutor pool(String name, int threads, int queue) {
    var pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            30,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(queue),
            Thread.ofPlatform().name(name, 0).daemon().factory());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  Path files() {
    return directory.resolve("db");
  }

  long limitBytes() {
    return limitBytes;
  }

  <T extends @Nullable Object> T read(Work<T> work) throws StoreException {
    return on(readers, work);
  }

  <T extends @Nullable Object> T write(Work<T> work) throws StoreException {
    return on(writers, work);
  }

  private <T extends @Nullable Object> T on(ThreadPoolExecutor pool, Work<T> work)
      throws StoreException {
    FutureTask<T> task = new FutureTask<>(() -> here(work));
    try {
      pool.execute(task);
    } catch (RejectedExecutionException e) {
      throw new StoreException(
          pool.isShutdown() ? "the store is closed" : "the store has too much to do", e);
    }
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          // The work goes on whatever we do, and uses the caller's buffers.
          interrupted = true;
        }
      }
    } catch (ExecutionException | CancellationException e) {
      if (e.getCause() instanceof StoreException failure) {
        throw failure;
      }
      throw new StoreException("the store failed: " + e.getCause(), e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** On this thread, which must be a platform thread. */
  <T extends @Nullable Object> T here(Work<T> work) throws StoreException {
    guard.readLock().lock();
    try {
      if (open == null) {
        throw new StoreException("the store is closed: " + whyClosed, null);
      }
      return work.on(open);
    } catch (RocksDBException e) {
      throw new StoreException("the store failed: " + e.getMessage(), e);
    } finally {
      guard.readLock().unlock();
    }
  }

  /** Why it can't be used now; answers at once. */
  public Optional<String> whyNotReady() {
    return Optional.ofNullable(whyClosed);
  }

  /**
   * Closes and opens it, which is what ends the state after a failed write in which RocksDB takes
   * no others. What wasn't flushed is lost.
   */
  void reopen() throws IOException {
    guard.writeLock().lock();
    try {
      if (open != null) {
        open.close();
        open = null;
        whyClosed = "it is being opened again";
      }
      open = openOrMoveAside();
      whyClosed = null;
    } catch (IOException e) {
      whyClosed = String.valueOf(e.getMessage());
      throw e;
    } finally {
      guard.writeLock().unlock();
    }
  }

  private OpenDatabase openOrMoveAside() throws IOException {
    try {
      return new OpenDatabase(files(), limitBytes);
    } catch (RocksDBException e) {
      String why = String.valueOf(e.getMessage());
      if (isOfTheMachine(why)) {
        throw new IOException("cannot open the cache in " + files() + ": " + why, e);
      }
      Path aside = moveAside();
      LOG.error(
          "the cache in {} is broken ({}): moved to {}, which can be deleted; starting empty",
          files(),
          why,
          aside);
    }
    try {
      return new OpenDatabase(files(), limitBytes);
    } catch (RocksDBException e) {
      throw new IOException("cannot open a new cache in " + files() + ": " + e.getMessage(), e);
    }
  }

  /** Failures of which a new database would suffer too, and the old one may recover. */
  private static boolean isOfTheMachine(String why) {
    return Stream.of(
            "No space left",
            "Permission denied",
            "Read-only file system",
            "Too many open files",
            "Disk quota exceeded",
            "lock ")
        .anyMatch(why::contains);
  }

  private Path moveAside() throws IOException {
    List<Path> older;
    try (Stream<Path> files = Files.list(directory)) {
      older = files.filter(path -> path.getFileName().toString().startsWith(BROKEN)).toList();
    }
    for (Path path : older) {
      delete(path);
    }
    Path aside = directory.resolve(BROKEN + TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    return Files.move(files(), aside);
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      files
          .sorted(Comparator.reverseOrder())
          .forEach(path -> {
            try {
              Files.delete(path);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Ends the work that runs, writes what is in memory to disk, closes. */
  @Override
  public void close() {
    readers.shutdown();
    writers.shutdown();
    guard.writeLock().lock();
    try {
      if (open != null) {
        try {
          open.flush();
        } catch (RocksDBException e) {
          LOG.warn("the cache's latest values are lost: {}", e.getMessage());
        }
        open.close();
        open = null;
      }
      whyClosed = "for good";
      lockFile.close();
    } catch (IOException e) {
      LOG.warn("the lock of {} did not close in order", directory, e);
    } finally {
      guard.writeLock().unlock();
    }
  }
}
