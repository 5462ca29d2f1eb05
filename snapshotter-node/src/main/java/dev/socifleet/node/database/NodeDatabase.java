package dev.socifleet.node.database;

import dev.socifleet.service.RocksLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The node's small durable records in one RocksDB: names are texts with a prefix for their kind.
 * Thread-safe. A write is on disk, whole, when its call returns. After {@link #close} every call
 * fails; RocksDB itself would end the process.
 */
public final class NodeDatabase implements AutoCloseable {
  private static final String FORMAT_KEY = "format";
  private static final String FORMAT = "1";

  private final Path directory;
  private final Options options;
  private final WriteOptions synced;
  private final RocksDB db;

  /** Held to read while RocksDB is used, to write while it is closed. */
  private final ReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  /** What is done with the open database. */
  @FunctionalInterface
  private interface Call<T> {
    T on(RocksDB db) throws RocksDBException;
  }

  /** Changes that happen together or not at all. Used by one thread. */
  public static final class Batch {
    private final Map<String, Optional<byte[]>> changes = new LinkedHashMap<>();

    public Batch put(String key, byte[] value) {
      changes.put(key, Optional.of(value));
      return this;
    }

    public Batch delete(String key) {
      changes.put(key, Optional.empty());
      return this;
    }
  }

  private NodeDatabase(Path directory, Options options, RocksDB db) {
    this.directory = directory;
    this.options = options;
    this.synced = new WriteOptions().setSync(true);
    this.db = db;
  }

  /**
   * Opens the database, making it where there is none.
   *
   * @throws IOException when another process has it open, it is broken, or of a later format
   */
  public static NodeDatabase open(Path directory) throws IOException {
    Files.createDirectories(directory);
    RocksLibrary.load(directory);
    Options options =
        new Options()
            .setCreateIfMissing(true)
            .setWriteBufferSize(1 << 20)
            .setMaxTotalWalSize(4 << 20)
            .setMaxOpenFiles(32)
            .setKeepLogFileNum(2)
            .setMaxLogFileSize(1 << 20);
    try {
      NodeDatabase database =
          new NodeDatabase(directory, options, RocksDB.open(options, directory.toString()));
      database.checkFormat();
      return database;
    } catch (RocksDBException e) {
      options.close();
      throw new IOException(
          "cannot open the node database "
              + directory
              + ": "
              + e.getMessage()
              + ": is another node running on this root?",
          e);
    }
  }

  private void checkFormat() throws IOException {
    Optional<byte[]> found = get(FORMAT_KEY);
    if (found.isEmpty()) {
      write(new Batch().put(FORMAT_KEY, FORMAT.getBytes(StandardCharsets.UTF_8)));
      return;
    }
    String format = new String(found.get(), StandardCharsets.UTF_8);
    if (!format.equals(FORMAT)) {
      close();
      throw new IOException(
          "the node database "
              + directory
              + " has format "
              + format
              + ", this release knows "
              + FORMAT
              + ": run the release that made it");
    }
  }

  public Optional<byte[]> get(String key) throws IOException {
    return call("read", open -> Optional.ofNullable(open.get(bytes(key))));
  }

  /** All records whose key begins with {@code prefix}, by the rest of their keys, sorted. */
  public Map<String, byte[]> all(String prefix) throws IOException {
    byte[] end = bytes(prefix);
    end[end.length - 1]++;
    return call(
        "read",
        open -> {
          Map<String, byte[]> found = new LinkedHashMap<>();
          try (Slice bound = new Slice(end);
              ReadOptions toBound = new ReadOptions().setIterateUpperBound(bound);
              RocksIterator records = open.newIterator(toBound)) {
            for (records.seek(bytes(prefix)); records.isValid(); records.next()) {
              String key = new String(records.key(), StandardCharsets.UTF_8);
              found.put(key.substring(prefix.length()), records.value());
            }
            records.status();
            return found;
          }
        });
  }

  public void write(Batch batch) throws IOException {
    var _ =
        call(
            "write",
            open -> {
              try (WriteBatch records = new WriteBatch()) {
                for (Map.Entry<String, Optional<byte[]>> change : batch.changes.entrySet()) {
                  if (change.getValue().isPresent()) {
                    records.put(bytes(change.getKey()), change.getValue().get());
                  } else {
                    records.delete(bytes(change.getKey()));
                  }
                }
                open.write(synced, records);
                return batch;
              }
            });
  }

  private <T> T call(String action, Call<T> call) throws IOException {
    use.readLock().lock();
    try {
      if (closed) {
        throw new IOException(
            "cannot " + action + " the node database " + directory + ": it is closed");
      }
      return call.on(db);
    } catch (RocksDBException e) {
      throw failed(action, e);
    } finally {
      use.readLock().unlock();
    }
  }

  private IOException failed(String action, RocksDBException e) {
    return new IOException(
        "cannot " + action + " the node database " + directory + ": " + e.getMessage(), e);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    use.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        db.close();
        synced.close();
        options.close();
      }
    } finally {
      use.writeLock().unlock();
    }
  }
}
