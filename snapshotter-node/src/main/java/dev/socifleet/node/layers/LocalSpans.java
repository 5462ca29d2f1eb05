package dev.socifleet.node.layers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.StampedLock;
import java.util.function.IntConsumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The uncompressed bytes of a layer as far as this node has them. Thread-safe.
 *
 * <p>A byte of the archive has the same offset in the sparse file {@code spans}. The file {@code
 * present} says which spans are whole:
 *
 * <pre>
 *  0  8  magic "SOCISPAN"
 *  8  4  version, 1
 * 12  4  1 after an orderly end, 0 while in use
 * 16     8 bytes a span: CRC-32C of its uncompressed bytes, and the same with all bits of MARK flipped;
 *        anything else: the span isn't whole
 * </pre>
 *
 * <p>A mark is written after the data it stands for was synced. After an end that wasn't orderly
 * each span is compared with its mark before it is used. Nothing here has to survive: a lost span
 * is fetched again.
 *
 * <p>No thread that is in here may be interrupted: that would close the files.
 */
final class LocalSpans implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LocalSpans.class);
  private static final long MAGIC = 0x4E41505349434F53L;
  private static final int VERSION = 1;
  private static final int AT_CLEAN = 12;
  private static final int HEADER = 16;
  private static final int MARK_BYTES = 8;
  private static final int MARK = 0x736F6369;
  private static final int CHUNK = 1 << 18;

  private final NodeTable table;
  private final Path file;
  private final FileChannel data;
  private final FileChannel present;

  /** Of a span: the uncompressed offset up to which its bytes are in the file. */
  private final AtomicLongArray ready;

  /** Of a span: a coarse time of its last use. Written without care: a lost one does no harm. */
  private final int[] lastUse;

  private final int[] checksums;

  /** Readers of the data file against eviction. */
  private final StampedLock lock = new StampedLock();

  /** Spans whose mark is from before an end that wasn't orderly. Guarded by itself. */
  private final BitSet unverified = new BitSet();

  /** Whole spans whose mark isn't written yet. Guarded by itself. */
  private final BitSet unmarked = new BitSet();

  /** Spans that the disk had no room for, while they are waited for. */
  private final Map<Integer, byte[]> unstored = new ConcurrentHashMap<>();

  private LocalSpans(NodeTable table, Path directory) throws IOException {
    this.table = table;
    int spans = table.spanCount();
    file = directory.resolve("spans");
    data =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.SPARSE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    present =
        FileChannel.open(
            directory.resolve("present"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    ready = new AtomicLongArray(spans);
    lastUse = new int[spans];
    checksums = new int[spans];
    for (int span = 0; span < spans; span++) {
      ready.setPlain(span, table.spanStart(span));
    }
  }

  /** Opens what the directory holds of a layer; nothing at first. */
  static LocalSpans open(NodeTable table, Path directory) throws IOException {
    LocalSpans spans = new LocalSpans(table, directory);
    try {
      spans.load();
      return spans;
    } catch (IOException e) {
      spans.data.close();
      spans.present.close();
      throw e;
    }
  }

  private void load() throws IOException {
    int spans = table.spanCount();
    ByteBuffer marks =
        ByteBuffer.allocate(HEADER + spans * MARK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    boolean whole = readFully(present, marks, 0);
    if (whole && marks.getLong(0) == MAGIC && marks.getInt(8) == VERSION) {
      boolean clean = marks.getInt(AT_CLEAN) == 1;
      for (int span = 0; span < spans; span++) {
        int checksum = marks.getInt(HEADER + span * MARK_BYTES);
        if (marks.getInt(HEADER + span * MARK_BYTES + 4) == (checksum ^ MARK)) {
          checksums[span] = checksum;
          if (clean) {
            ready.setPlain(span, table.spanEnd(span));
          } else {
            unverified.set(span);
          }
        }
      }
      ByteBuffer dirty = ByteBuffer.allocate(4);
      present.write(dirty, AT_CLEAN);
      return;
    }
    ByteBuffer fresh =
        ByteBuffer.allocate(HEADER + spans * MARK_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(MAGIC)
            .putInt(VERSION)
            .putInt(0)
            .clear();
    present.truncate(0);
    writeFully(present, fresh, 0);
  }

  /** Bytes of the spans that are whole or may be. */
  long bytes() {
    long sum = 0;
    for (int span = 0; span < table.spanCount(); span++) {
      if (isOnDisk(span)) {
        sum += length(span);
      }
    }
    return sum;
  }

  private boolean isOnDisk(int span) {
    return isUnverified(span) || (isWhole(span) && !unstored.containsKey(span));
  }

  long length(int span) {
    return table.spanEnd(span) - table.spanStart(span);
  }

  boolean isWhole(int span) {
    return ready.get(span) == table.spanEnd(span);
  }

  /** Whether it has to be verified before it is used. */
  boolean isUnverified(int span) {
    synchronized (unverified) {
      return unverified.get(span);
    }
  }

  /** Every span that takes room on disk and is nobody's work. */
  void forEachEvictable(IntConsumer action) {
    for (int span = 0; span < table.spanCount(); span++) {
      if (length(span) > 0 && isOnDisk(span)) {
        action.accept(span);
      }
    }
  }

  int lastUse(int span) {
    return lastUse[span];
  }

  /** Whether the span's bytes up to an offset are here. */
  boolean reaches(int span, long end) {
    return ready.get(span) >= Math.min(end, table.spanEnd(span));
  }

  /** Whether all these bytes are here. */
  boolean has(long from, int length) {
    for (int span = table.spanAt(from), last = table.spanAt(from + length - 1);
        span <= last;
        span++) {
      if (!reaches(span, from + length)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads bytes if all of them are here.
   *
   * @param to has room for them; its position is moved only if they were read
   */
  boolean read(long from, int length, ByteBuffer to) {
    long stamp = lock.readLock();
    try {
      if (!has(from, length)) {
        return false;
      }
      int now = now();
      for (int span = table.spanAt(from), last = table.spanAt(from + length - 1);
          span <= last;
          span++) {
        lastUse[span] = now;
      }
      int start = to.position();
      int limit = to.limit();
      to.limit(start + length);
      boolean done =
          unstored.isEmpty() ? readFully(data, to, from) : readWithUnstored(from, length, to);
      to.limit(limit);
      if (!done) {
        to.position(start);
      }
      return done;
    } catch (IOException e) {
      log.warn("cannot read {}: {}", file, e.toString());
      return false;
    } finally {
      lock.unlockRead(stamp);
    }
  }

  private boolean readWithUnstored(long from, int length, ByteBuffer to) throws IOException {
    for (long at = from; at < from + length; ) {
      int span = table.spanAt(at);
      int count = (int) (Math.min(from + length, table.spanEnd(span)) - at);
      byte[] bytes = unstored.get(span);
      if (bytes != null) {
        to.put(bytes, (int) (at - table.spanStart(span)), count);
      } else {
        int limit = to.limit();
        to.limit(to.position() + count);
        if (!readFully(data, to, at)) {
          return false;
        }
        to.limit(limit);
      }
      at += count;
    }
    return true;
  }

  /** Takes the next bytes of a span that is being decoded; those before are here. */
  void write(int span, byte[] bytes, int offset, int length) throws IOException {
    long at = ready.get(span);
    writeFully(data, ByteBuffer.wrap(bytes, offset, length), at);
    ready.set(span, at + length);
  }

  /** The span is whole; its mark follows when its data is on disk. */
  void complete(int span, int checksum) {
    lastUse[span] = now();
    checksums[span] = checksum;
    synchronized (unmarked) {
      unmarked.set(span);
    }
  }

  /** Keeps a whole span in memory. */
  void keepUnstored(int span, byte[] bytes) {
    unstored.put(span, bytes);
    ready.set(span, table.spanEnd(span));
  }

  /** Forgets a span that was only kept in memory. */
  void dropUnstored(int span) {
    long stamp = lock.writeLock();
    try {
      if (unstored.remove(span) != null) {
        ready.set(span, table.spanStart(span));
      }
    } finally {
      lock.unlockWrite(stamp);
    }
  }

  /**
   * Compares a span that was there before an end that wasn't orderly with its mark.
   *
   * @return whether it is whole; if not, it is to be evicted
   */
  boolean verify(int span) {
    boolean right;
    try {
      right = checksum(span) == checksums[span];
    } catch (IOException e) {
      log.warn("cannot read {}: {}", file, e.toString());
      right = false;
    }
    if (right) {
      synchronized (unverified) {
        unverified.clear(span);
      }
      ready.set(span, table.spanEnd(span));
    } else {
      log.info("span {} in {} was not whole and is fetched again", span, file);
    }
    return right;
  }

  private int checksum(int span) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    for (long at = table.spanStart(span); at < table.spanEnd(span); ) {
      chunk.clear().limit((int) Math.min(CHUNK, table.spanEnd(span) - at));
      if (!readFully(data, chunk, at)) {
        throw new IOException("it ends before " + table.spanEnd(span));
      }
      crc.update(chunk.flip());
      at += chunk.limit();
    }
    return (int) crc.getValue();
  }

  /**
   * Frees a span's bytes, whole or not; who needs them again fetches them.
   *
   * @return whether {@link #bytes} counted it
   */
  boolean evict(int span) {
    try {
      writeFully(present, ByteBuffer.allocate(MARK_BYTES), HEADER + (long) span * MARK_BYTES);
    } catch (IOException e) {
      log.warn("cannot unmark span {} of {}: {}", span, file, e.toString());
    }
    synchronized (unmarked) {
      unmarked.clear(span);
    }
    boolean counted;
    synchronized (unverified) {
      counted = unverified.get(span);
      unverified.clear(span);
    }
    long stamp = lock.writeLock();
    try {
      counted |= isWhole(span);
      ready.set(span, table.spanStart(span));
    } finally {
      lock.unlockWrite(stamp);
    }
    try {
      HolePunch.punch(file, table.spanStart(span), length(span));
    } catch (IOException e) {
      log.warn("{}", e.getMessage());
    }
    return counted;
  }

  /** Syncs the data of whole spans and marks them. */
  void sync() throws IOException {
    List<Integer> spans = new ArrayList<>();
    synchronized (unmarked) {
      unmarked.stream().forEach(spans::add);
      unmarked.clear();
    }
    if (spans.isEmpty()) {
      return;
    }
    data.force(false);
    ByteBuffer mark = ByteBuffer.allocate(MARK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int span : spans) {
      mark.clear().putInt(checksums[span]).putInt(checksums[span] ^ MARK).flip();
      writeFully(present, mark, HEADER + (long) span * MARK_BYTES);
      if (!isWhole(span)) { // evicted meanwhile: its mark must not come back
        writeFully(present, ByteBuffer.allocate(MARK_BYTES), HEADER + (long) span * MARK_BYTES);
      }
    }
  }

  /** The clock of {@link #lastUse}: steps of about an eighth of a second, wraps around. */
  static int now() {
    return (int) (System.nanoTime() >> 27);
  }

  private static boolean readFully(FileChannel channel, ByteBuffer to, long position)
      throws IOException {
    for (long at = position; to.hasRemaining(); ) {
      int count = channel.read(to, at);
      if (count < 0) {
        return false;
      }
      at += count;
    }
    return true;
  }

  private static void writeFully(FileChannel channel, ByteBuffer from, long position)
      throws IOException {
    for (long at = position; from.hasRemaining(); ) {
      at += channel.write(from, at);
    }
  }

  @Override
  public void close() throws IOException {
    try (data;
        present) {
      sync();
      boolean allVerified;
      synchronized (unverified) {
        allVerified = unverified.isEmpty();
      }
      if (allVerified) {
        present.force(false);
        ByteBuffer clean = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(1).flip();
        writeFully(present, clean, AT_CLEAN);
        present.force(false);
      }
    }
  }
}
