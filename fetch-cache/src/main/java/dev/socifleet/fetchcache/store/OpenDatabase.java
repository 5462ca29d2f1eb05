package dev.socifleet.fetchcache.store;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactRangeOptions;
import org.rocksdb.CompactRangeOptions.BottommostLevelCompaction;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.MutableColumnFamilyOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * An open RocksDB and everything native that belongs to it. Values are in blob files: compaction
 * rewrites keys, not values. Spans go past the write-ahead log, for one that is lost is fetched
 * again; all column families are flushed as one (atomic flush), so that after a kill the index
 * knows exactly the values that are there. zTOCs go through it, synced: who was told that one is
 * stored doesn't send it again.
 *
 * <p>Using it after {@link #close} ends the process: only {@link Database} calls it.
 *
 * <pre>
 * family    key                                     value
 * index     sha256 of a value, 32 bytes             {@link SpanEntry}
 * values    sha256 of a value, 32 bytes             its bytes, in blob files
 * ztocs     {@link ZtocRecord#key}                  {@link ZtocRecord}
 * </pre>
 */
final class OpenDatabase implements AutoCloseable {
  private static final long BLOCK_CACHE_BYTES = 16 << 20;
  private static final int MOST_OPEN_FILES = 512;

  private final List<AutoCloseable> options = new ArrayList<>();
  private final List<ColumnFamilyHandle> handles = new ArrayList<>();
  private final RocksDB rocks;
  final ColumnFamilyHandle index;
  final ColumnFamilyHandle values;
  final ColumnFamilyHandle ztocs;
  final WriteOptions writing = keep(new WriteOptions().setDisableWAL(true));
  final WriteOptions writingDurably = keep(new WriteOptions().setSync(true));
  final ReadOptions reading = keep(new ReadOptions());
  final FlushOptions flushing = keep(new FlushOptions().setWaitForFlush(true));

  /** Sizes that follow from the limit. */
  record Shape(long writeBufferBytes, long blobFileBytes, long logBytes) {
    /**
     * A blob file is small against the limit, so that collecting one needs little room: new bytes
     * are written before the old ones go.
     */
    static Shape of(long limitBytes) {
      return new Shape(
          Math.clamp(limitBytes / 128, 1 << 20, 64 << 20),
          Math.clamp(limitBytes / 64, 1 << 20, 256 << 20),
          Math.clamp(limitBytes / 128, 1 << 20, 64 << 20));
    }
  }

  OpenDatabase(Path directory, long limitBytes) throws RocksDBException {
    Shape shape = Shape.of(limitBytes);
    var cache = keep(new LRUCache(BLOCK_CACHE_BYTES));
    var table = new BlockBasedTableConfig().setBlockCache(cache);
    var small =
        keep(
            new ColumnFamilyOptions()
                .setTableFormatConfig(table)
                .setWriteBufferSize(8 << 20)
                .setMaxWriteBufferNumber(2)
                .setCompressionType(CompressionType.LZ4_COMPRESSION));
    var blobs =
        keep(
            new ColumnFamilyOptions()
                .setTableFormatConfig(table)
                .setWriteBufferSize(shape.writeBufferBytes())
                .setMaxWriteBufferNumber(2)
                .setCompressionType(CompressionType.NO_COMPRESSION)
                .setEnableBlobFiles(true)
                .setBlobFileSize(shape.blobFileBytes())
                .setBlobCompressionType(CompressionType.NO_COMPRESSION)
                .setEnableBlobGarbageCollection(true)
                // DiskLimit says when, and how much; RocksDB's own compactions collect nothing.
                .setBlobGarbageCollectionAgeCutoff(0));
    var database =
        keep(
            new DBOptions()
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setAtomicFlush(true)
                .setMaxTotalWalSize(shape.logBytes())
                .setMaxOpenFiles(MOST_OPEN_FILES)
                .setMaxManifestFileSize(8 << 20)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(2)
                .setMaxLogFileSize(1 << 20)
                .setStatsDumpPeriodSec(0)
                .setMaxBackgroundJobs(2));
    try {
      rocks =
          RocksDB.open(
              database,
              directory.toString(),
              List.of(
                  new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, small),
                  family("index", small),
                  family("values", blobs),
                  family("ztocs", small)),
              handles);
    } catch (RocksDBException e) {
      closeOptions();
      throw e;
    }
    index = handles.get(1);
    values = handles.get(2);
    ztocs = handles.get(3);
  }

  private static ColumnFamilyDescriptor family(String name, ColumnFamilyOptions options) {
    return new ColumnFamilyDescriptor(name.getBytes(StandardCharsets.US_ASCII), options);
  }

  private <T extends AutoCloseable> T keep(T option) {
    options.add(option);
    return option;
  }

  RocksDB rocks() {
    return rocks;
  }

  /** Everything written so far to disk. */
  void flush() throws RocksDBException {
    rocks.flush(flushing, handles);
  }

  /**
   * What compactions collect from now on.
   *
   * @param share of the blob files, the oldest first: values in them are written again
   */
  void collectValuesBefore(double share) throws RocksDBException {
    rocks.setOptions(
        values,
        MutableColumnFamilyOptions.builder().setBlobGarbageCollectionAgeCutoff(share).build());
  }

  /** Compacts all keys of the values, which collects garbage. */
  void compactValues() throws RocksDBException {
    try (CompactRangeOptions all = new CompactRangeOptions()) {
      all.setBottommostLevelCompaction(BottommostLevelCompaction.kForceOptimized)
          .setExclusiveManualCompaction(false);
      rocks.compactRange(values, null, null, all);
    }
  }

  /** Bytes that are only in memory yet. */
  long unflushedBytes() throws RocksDBException {
    long bytes = 0;
    for (ColumnFamilyHandle handle : handles) {
      bytes += rocks.getLongProperty(handle, "rocksdb.cur-size-all-mem-tables");
    }
    return bytes;
  }

  /** In the order that RocksDB asks for: families, database, options. */
  @Override
  public void close() {
    handles.forEach(ColumnFamilyHandle::close);
    rocks.close();
    closeOptions();
  }

  private void closeOptions() {
    for (AutoCloseable option : options.reversed()) {
      try {
        option.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing a native option never fails", e);
      }
    }
  }
}
