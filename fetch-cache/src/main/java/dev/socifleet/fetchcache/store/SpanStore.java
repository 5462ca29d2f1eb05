package dev.socifleet.fetchcache.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Values by their sha256. The index is in memory and decides, by bytes, what stays (W-TinyLFU: what
 * is asked for often survives what is asked for once); {@link DiskLimit} sees to it that files
 * don't outgrow the limit. Calls that touch the disk block; use a virtual thread. Thread-safe.
 */
public final class SpanStore {
  private static final Logger LOG = LoggerFactory.getLogger(SpanStore.class);

  private static final int LARGEST_VALUE = 16 << 20;

  /**
   * Share of the limit that values fill; the rest is for garbage. The smaller it is, the fewer
   * values have to be rewritten to collect some.
   */
  private static final double VALUES_SHARE = 0.82;

  /** What a value weighs at least: bounds their number, and so the memory of the index. */
  private static final int LEAST_WEIGHT = 16 << 10;

  private static final int OVERHEAD = 256;
  private static final int STRIPES = 64;
  private static final int KEY = 32;
  private static final long WARN_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final ThreadLocal<ByteBuffer> DIRECT_KEY =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(KEY));

  private final Database database;
  private final DiskLimit limit;
  private final Cache<Digest, SpanEntry> index;
  private final Queue<Digest> evicted = new ConcurrentLinkedQueue<>();
  private final Lock[] stripes =
      Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(Lock[]::new);

  /** Values whose digest was checked since the start; RocksDB's own checksums do from then on. */
  private final Set<Digest> checked = ConcurrentHashMap.newKeySet();

  private final AtomicLong warnedAt = new AtomicLong(System.nanoTime() - WARN_NANOS - 1);
  private final Counter evictions;
  private final Counter corrupt;
  private final Counter lost;
  private final Counter unstored;
  private final Counter failures;

  private SpanStore(Database database, DiskLimit limit, Metrics metrics) {
    this.database = database;
    this.limit = limit;
    index =
        Caffeine.newBuilder()
            .maximumWeight((long) (database.limitBytes() * VALUES_SHARE))
            .weigher((Digest value, SpanEntry entry) -> weight(entry.size()))
            .evictionListener((value, entry, cause) -> evicted(value))
            .executor(Runnable::run)
            .build();
    evictions = metrics.counter("soci_cache_evictions_total", "Values that had to go to make room");
    corrupt =
        metrics.counter(
            "soci_cache_corrupt_values_total", "Values dropped because their bytes had changed");
    lost =
        metrics.counter(
            "soci_cache_lost_values_total", "Values that the index had and the disk didn't");
    unstored =
        metrics.counter(
            "soci_cache_unstored_values_total",
            "Values served but not stored: too large, or no room on the disk");
    failures =
        metrics.counter(
            "soci_cache_store_failures_total", "Reads and writes of the disk that failed");
    metrics.gauge("soci_cache_values", "Values stored", index::estimatedSize);
    metrics.gauge("soci_cache_value_bytes", "Bytes of the values stored", this::bytes);
  }

  /** Reads the index back; values stay on disk. Starts to keep the limit. */
  public static SpanStore open(Database database, DiskLimit limit, Metrics metrics)
      throws StoreException {
    SpanStore store = new SpanStore(database, limit, metrics);
    store.load();
    limit.start(store::load, store::deleteEvicted);
    return store;
  }

  static int weight(int size) {
    return Math.max(LEAST_WEIGHT, size + OVERHEAD);
  }

  /** Adds to the index what the disk has and it hasn't. */
  private void load() throws StoreException {
    int[] count = {0};
    database.read(opened -> {
      try (RocksIterator each = opened.rocks().newIterator(opened.index, opened.reading)) {
        for (each.seekToFirst(); each.isValid(); each.next()) {
          Digest value = Digest.ofHash(each.key());
          SpanEntry entry = SpanEntry.decode(each.value());
          if (entry == null) {
            evicted.add(value);
          } else if (index.asMap().putIfAbsent(value, entry) == null) {
            count[0]++;
          }
        }
        each.status();
      }
      return true;
    });
    index.cleanUp();
    LOG.info("{} values of {} MiB in {}", count[0], bytes() >> 20, database.files());
    deleteEvicted();
  }

  /** Whether it has a value; a sign that it is wanted. */
  public boolean has(Digest value) {
    return index.getIfPresent(value) != null;
  }

  /** The size of a value, or -1. */
  public int size(Digest value) {
    SpanEntry entry = index.getIfPresent(value);
    return entry == null ? -1 : entry.size();
  }

  /** Whether it has this value and a proof that it is there in the blob. */
  public boolean isProved(Digest value, Proof proof, long length) {
    SpanEntry entry = index.getIfPresent(value);
    return entry != null && entry.size() == length && entry.proofs().contains(proof);
  }

  /** Adds a proof to a value that it has. */
  public void prove(Digest value, Proof proof) throws StoreException {
    Lock stripe = stripe(value);
    stripe.lock();
    try {
      SpanEntry entry = index.getIfPresent(value);
      if (entry == null || entry.proofs().contains(proof)) {
        return;
      }
      SpanEntry more = entry.with(proof);
      database.write(opened -> {
        opened.rocks().put(opened.index, opened.writing, value.hash(), more.encode());
        return true;
      });
      index.put(value, more);
    } finally {
      stripe.unlock();
    }
  }

  /**
   * Reads a value, checked, into a buffer of its size. False when it isn't there after all; a
   * failure of the disk is false too, for the registry has the bytes. The buffer stays the
   * caller's.
   */
  public boolean read(Digest value, SpanBytes into) {
    try {
      int length =
          database.read(opened -> {
            ByteBuffer key = DIRECT_KEY.get().clear();
            key.put(value.hash()).flip();
            return opened.rocks().get(opened.values, opened.reading, key, into.target());
          });
      if (length != into.capacity()) {
        lost.increment();
        drop(value);
        return false;
      }
      into.written(length);
      if (checked.contains(value) || matches(value, into)) {
        return true;
      }
      corrupted(value, "its digest differs");
    } catch (StoreException e) {
      if (e.getCause() instanceof RocksDBException cause && isCorruption(cause)) {
        corrupted(value, String.valueOf(cause.getMessage()));
      } else {
        failed("read", value, e);
      }
    }
    return false;
  }

  private boolean matches(Digest value, SpanBytes bytes) {
    if (!Arrays.equals(bytes.sha256(value.newMessageDigest()), value.hash())) {
      return false;
    }
    checked.add(value);
    if (!index.asMap().containsKey(value)) {
      checked.remove(value);
    }
    return true;
  }

  private static boolean isCorruption(RocksDBException e) {
    return e.getStatus() != null && e.getStatus().getCode() == org.rocksdb.Status.Code.Corruption;
  }

  private void corrupted(Digest value, String why) {
    corrupt.increment();
    LOG.warn("value {} is damaged on disk ({}): dropped, it is fetched again", value, why);
    drop(value);
  }

  /**
   * Stores a value whose digest was checked. False when it isn't stored: too large, no room, a
   * failing disk. The bytes stay the caller's.
   */
  public boolean write(Digest value, SpanBytes bytes, List<Proof> proofs) {
    return write(value, bytes, proofs, opened -> opened.writing);
  }

  /** The same, and a value that was stored outlives a kill of the process or the machine. */
  boolean writeDurably(Digest value, SpanBytes bytes) {
    return write(value, bytes, List.of(), opened -> opened.writingDurably);
  }

  private boolean write(
      Digest value,
      SpanBytes bytes,
      List<Proof> proofs,
      Function<OpenDatabase, WriteOptions> options) {
    int size = bytes.length();
    if (size < 1 || size > largestValue() || !limit.reserve(size)) {
      unstored.increment();
      return false;
    }
    int wrote = 0;
    Lock stripe = stripe(value);
    stripe.lock();
    try {
      SpanEntry known = index.getIfPresent(value);
      SpanEntry entry = known == null ? new SpanEntry(size, List.of()) : known;
      for (Proof proof : proofs) {
        entry = entry.with(proof);
      }
      if (entry.equals(known)) {
        return true;
      }
      byte[] record = entry.encode();
      database.write(opened -> {
        try (WriteBatch batch = new WriteBatch()) {
          ByteBuffer key = DIRECT_KEY.get().clear();
          key.put(value.hash()).flip();
          if (known == null) {
            batch.put(opened.values, key, bytes.view());
          }
          batch.put(opened.index, value.hash(), record);
          opened.rocks().write(options.apply(opened), batch);
        }
        return true;
      });
      wrote = known == null ? size : 0;
      checked.add(value);
      index.put(value, entry);
    } catch (StoreException e) {
      failed("store", value, e);
      unstored.increment();
      limit.writeFailed();
      return false;
    } finally {
      stripe.unlock();
      limit.settle(size, wrote);
    }
    deleteEvicted();
    return true;
  }

  /** Forgets a value. */
  public void drop(Digest value) {
    index.invalidate(value);
    evicted.add(value);
    deleteEvicted();
  }

  private void evicted(@Nullable Digest value) {
    if (value != null) {
      evicted.add(value);
      evictions.increment();
    }
  }

  /** What the index let go goes from the disk, unless it came back. */
  private void deleteEvicted() {
    for (Digest value = evicted.poll(); value != null; value = evicted.poll()) {
      byte[] key = value.hash();
      Lock stripe = stripe(value);
      stripe.lock();
      try {
        if (index.asMap().containsKey(value)) {
          continue;
        }
        checked.remove(value);
        database.write(opened -> {
          try (WriteBatch batch = new WriteBatch()) {
            batch.delete(opened.values, key);
            batch.delete(opened.index, key);
            opened.rocks().write(opened.writing, batch);
          }
          return true;
        });
      } catch (StoreException e) {
        evicted.add(value);
        failed("delete", value, e);
        limit.writeFailed();
        return;
      } finally {
        stripe.unlock();
      }
    }
  }

  /** A failing disk fails often: a line now and then says enough, the counter has the number. */
  private void failed(String action, Digest value, StoreException e) {
    failures.increment();
    long now = System.nanoTime();
    long last = warnedAt.get();
    if (now - last > WARN_NANOS && warnedAt.compareAndSet(last, now)) {
      LOG.warn("cannot {} {}: {}", action, value, e.getMessage());
    }
  }

  /** Larger ones aren't stored: they would be too much of the limit. */
  public int largestValue() {
    return (int) Math.min(LARGEST_VALUE, database.limitBytes() / 32);
  }

  private Lock stripe(Digest value) {
    return stripes[Math.floorMod(value.hashCode(), STRIPES)];
  }

  private long bytes() {
    return index.policy().eviction().orElseThrow().weightedSize().orElse(0);
  }
}
