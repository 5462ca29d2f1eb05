package dev.socifleet.fetchcache.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.service.Metrics;
import io.micrometer.core.instrument.Counter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.rocksdb.RocksIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fleet's zTOCs by (layer, span size, builder). Their bytes are values of the {@link
 * SpanStore}, in pieces, and go as values go; a record whose pieces went is deleted. Calls block.
 * Thread-safe.
 */
public final class ZtocStore {
  private static final Logger LOG = LoggerFactory.getLogger(ZtocStore.class);
  private static final int LARGEST_PIECE = 4 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final long TABLES_BYTES = 16 << 20;

  private record Table(List<SpanTable> ofLayer) {
    int weight() {
      return 256 + ofLayer.stream().mapToInt(table -> table.packed().length).sum();
    }
  }

  private final Database database;
  private final SpanStore values;
  private final Memory memory;
  private final Counter conflicts;
  private final Cache<Digest, Table> tables =
      Caffeine.newBuilder()
          .maximumWeight(TABLES_BYTES)
          .weigher((Digest layer, Table table) -> table.weight())
          .expireAfterWrite(Duration.ofMinutes(10))
          .executor(Runnable::run)
          .build();

  private ZtocStore(Database database, SpanStore values, Memory memory, Metrics metrics) {
    this.database = database;
    this.values = values;
    this.memory = memory;
    conflicts =
        metrics.counter(
            "soci_cache_ztoc_conflicts_total", "zTOCs that replaced a different one of their key");
  }

  public static ZtocStore open(Database database, SpanStore values, Memory memory, Metrics metrics)
      throws StoreException {
    ZtocStore store = new ZtocStore(database, values, memory, metrics);
    store.deleteGone();
    return store;
  }

  /**
   * Stores a zTOC that was parsed; when this returns, it outlives a kill.
   *
   * @param spans the layer's spans, which are proved by this
   * @throws StoreException when there is no room for it now
   */
  public void put(Digest layer, long spanSizeBytes, String builder, byte[] ztoc, SpanTable spans)
      throws StoreException, InterruptedException {
    int pieceSize = Math.min(LARGEST_PIECE, values.largestValue());
    List<Digest> pieces = new ArrayList<>();
    for (int at = 0; at < ztoc.length; at += pieceSize) {
      int length = Math.min(pieceSize, ztoc.length - at);
      pieces.add(putPiece(ztoc, at, length));
    }
    var entry = new ZtocRecord(Digest.of(ztoc), ztoc.length, pieces, spans);
    byte[] key = ZtocRecord.key(layer, spanSizeBytes, builder);
    noteConflict(layer, spanSizeBytes, key, entry);
    byte[] encoded = entry.encode();
    database.write(opened -> {
      opened.rocks().put(opened.ztocs, opened.writingDurably, key, encoded);
      return true;
    });
    tables.invalidate(layer);
  }

  /** The same key gives the same bytes, whoever builds them. If not, somebody should know. */
  private void noteConflict(Digest layer, long spanSizeBytes, byte[] key, ZtocRecord entry)
      throws StoreException {
    byte[] before = database.read(opened -> opened.rocks().get(opened.ztocs, opened.reading, key));
    ZtocRecord other = before == null ? null : ZtocRecord.decode(before);
    if (other != null && !other.digest().equals(entry.digest())) {
      conflicts.increment();
      LOG.warn(
          "two zTOCs of layer {} with spans of {} bytes: {}, and now {}, which is kept",
          layer,
          spanSizeBytes,
          other.digest(),
          entry.digest());
    }
  }

  private Digest putPiece(byte[] ztoc, int at, int length)
      throws StoreException, InterruptedException {
    var hash = Digest.newSha256();
    hash.update(ztoc, at, length);
    Digest piece = Digest.ofHash(hash.digest());
    if (values.has(piece)) {
      return piece;
    }
    Memory.Reservation reserved = memory.reserve(length, PATIENCE);
    if (reserved == null) {
      throw new StoreException("no memory for it now", null);
    }
    try (reserved) {
      SpanBytes bytes = reserved.allocate(length);
      try {
        bytes.write(ztoc, at, length);
        if (!values.writeDurably(piece, bytes)) {
          throw new StoreException("no room for it now", null);
        }
      } finally {
        bytes.release();
      }
    }
    return piece;
  }

  /** What there is for a layer, all its pieces included; empty else. */
  public Optional<ZtocRecord> find(Digest layer, long spanSizeBytes, String builder)
      throws StoreException {
    byte[] key = ZtocRecord.key(layer, spanSizeBytes, builder);
    byte[] encoded = database.read(opened -> opened.rocks().get(opened.ztocs, opened.reading, key));
    if (encoded == null) {
      return Optional.empty();
    }
    ZtocRecord found = ZtocRecord.decode(encoded);
    if (found != null && found.pieces().stream().allMatch(values::has)) {
      return Optional.of(found);
    }
    delete(key);
    return Optional.empty();
  }

  /** What a zTOC says of a range of a layer, if one has a span of exactly this range. */
  public Optional<Digest> provedDigest(Digest layer, ByteRange range) {
    Table table;
    try {
      table = tables.get(layer, this::load);
    } catch (UncheckedIOException e) {
      LOG.debug("the zTOCs of {} can't be read: {}", layer, e.getMessage());
      return Optional.empty();
    }
    for (SpanTable spans : table.ofLayer()) {
      Optional<Digest> digest = spans.digest(range);
      if (digest.isPresent()) {
        return digest;
      }
    }
    return Optional.empty();
  }

  private Table load(Digest layer) {
    byte[] prefix = ZtocRecord.prefix(layer);
    try {
      return database.read(opened -> {
        List<SpanTable> found = new ArrayList<>();
        try (RocksIterator each = opened.rocks().newIterator(opened.ztocs, opened.reading)) {
          for (each.seek(prefix); each.isValid() && startsWith(each.key(), prefix); each.next()) {
            ZtocRecord entry = ZtocRecord.decode(each.value());
            if (entry != null) {
              found.add(entry.spans());
            }
          }
          each.status();
        }
        return new Table(found);
      });
    } catch (StoreException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes the records of zTOCs whose pieces had to go. */
  public void deleteGone() throws StoreException {
    List<byte[]> gone =
        database.read(opened -> {
          List<byte[]> keys = new ArrayList<>();
          try (RocksIterator each = opened.rocks().newIterator(opened.ztocs, opened.reading)) {
            for (each.seekToFirst(); each.isValid(); each.next()) {
              ZtocRecord entry = ZtocRecord.decode(each.value());
              if (entry == null || !entry.pieces().stream().allMatch(values::has)) {
                keys.add(each.key());
              }
            }
            each.status();
          }
          return keys;
        });
    for (byte[] key : gone) {
      delete(key);
    }
  }

  private void delete(byte[] key) throws StoreException {
    database.write(opened -> {
      opened.rocks().delete(opened.ztocs, opened.writing, key);
      return true;
    });
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }
}
