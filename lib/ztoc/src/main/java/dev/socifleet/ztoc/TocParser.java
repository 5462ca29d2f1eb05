package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.EntryType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks the files of a zTOC. Single use.
 *
 * <p>Its time and memory are linear in the size of the zTOC, though a flatbuffer may refer to the
 * same bytes from many places: files must have growing offsets, so none is read twice, and strings
 * and records are counted against what can be there if each has bytes of its own.
 */
@SuppressWarnings("EnumOrdinal") // never outlives the process
final class TocParser {
  private static final byte[] SPARSE = "GNU.sparse.".getBytes(StandardCharsets.US_ASCII);
  private static final int BLOCK = 512;

  /** A file's own table: eight references and an offset. */
  private static final int LEAST_FILE_BYTES = 44;

  /** A record's own table, with its place in the vector. */
  private static final int LEAST_RECORD_BYTES = 16;

  /** Two varints in the pool; a record takes more than that in the zTOC too. */
  private static final int LONGEST_LENGTHS = 2 * 5;

  private final byte[] bytes;
  private final FlatReader reader;
  private final long uncompressedBytes;

  private final Map<ByteBuffer, Integer> ownerIndexes = new HashMap<>();
  private final List<byte[]> owners = new ArrayList<>();
  private byte[] pool = {};
  private int poolEnd;
  private int[] devices = {};
  private long[] deviceNumbers = {};
  private int deviceCount;

  private long recordsLeft;
  private long nameBytesLeft;
  private long nextHeader;
  private @Nullable String whyUnservable;

  TocParser(byte[] bytes, FlatReader reader, long uncompressedBytes) {
    this.bytes = bytes;
    this.reader = reader;
    this.uncompressedBytes = uncompressedBytes;
    recordsLeft = bytes.length / LEAST_RECORD_BYTES;
    nameBytesLeft = bytes.length;
  }

  /** Why these files can't be served, though they are well formed. */
  Optional<String> whyUnservable() {
    return Optional.ofNullable(whyUnservable);
  }

  Toc parse(int tocTable) throws MalformedZtocException {
    int vector = reader.vector(tocTable, ZtocFormat.TOC_FILES, 4, "the files");
    int count = reader.count(vector);
    if (count > bytes.length / LEAST_FILE_BYTES) {
      throw new MalformedZtocException("fewer than " + count + " files in so few bytes", vector);
    }
    Toc toc = new Toc(count);
    for (int file = 0; file < count; file++) {
      int table = reader.tableIn(vector, file, "a file");
      strings(toc, file, table);
      numbers(toc, file, table);
      place(toc, file, table);
    }
    toc.nameAt[count] = poolEnd;
    toc.pool = Arrays.copyOf(pool, poolEnd);
    toc.owners = owners.toArray(new byte[0][]);
    toc.devices = Arrays.copyOf(devices, deviceCount);
    toc.deviceNumbers = Arrays.copyOf(deviceNumbers, 2 * deviceCount);
    return toc;
  }

  private void strings(Toc toc, int file, int table) throws MalformedZtocException {
    toc.nameAt[file] = poolEnd;
    name(table, ZtocFormat.FILE_NAME, "a name");
    toc.linkAt[file] = poolEnd;
    name(table, ZtocFormat.FILE_LINK, "a link's target");
    toc.recordsAt[file] = poolEnd;
    toc.users[file] = owner(table, ZtocFormat.FILE_USER, "a user's name");
    toc.groups[file] = owner(table, ZtocFormat.FILE_GROUP, "a group's name");
    int type = reader.vector(table, ZtocFormat.FILE_TYPE, 1, "a type");
    toc.types[file] =
        (byte)
            EntryType.ofWord(bytes, type + 4, type + 4 + reader.count(type))
                .orElseThrow(
                    () -> new MalformedZtocException("reg, dir, symlink or another type", type))
                .ordinal();
  }

  /** Adds a name to the pool. */
  private void name(int table, int slot, String what) throws MalformedZtocException {
    int string = reader.vector(table, slot, 1, what);
    int length = reader.count(string);
    charge(length, string);
    for (int i = string + 4; i < string + 4 + length; i++) {
      if (bytes[i] == 0) {
        whyUnservable = "a name has a NUL byte, at offset " + i + " of the zTOC";
        break;
      }
    }
    reserve(length);
    System.arraycopy(bytes, string + 4, pool, poolEnd, length);
    poolEnd += length;
  }

  private int owner(int table, int slot, String what) throws MalformedZtocException {
    int string = reader.vector(table, slot, 1, what);
    int length = reader.count(string);
    charge(length, string);
    ByteBuffer key = ByteBuffer.wrap(bytes, string + 4, length);
    if (length > 0 && !owners.isEmpty() && isLast(key)) {
      return owners.size() - 1;
    }
    Integer known = ownerIndexes.get(key);
    if (known != null) {
      return known;
    }
    owners.add(Arrays.copyOfRange(bytes, string + 4, string + 4 + length));
    ownerIndexes.put(ByteBuffer.wrap(owners.getLast()), owners.size() - 1);
    return owners.size() - 1;
  }

  private boolean isLast(ByteBuffer owner) {
    return owner.equals(ByteBuffer.wrap(owners.getLast()));
  }

  /**
   * Every string is counted each time that it is referred to: without that, a million files could
   * share one name of a megabyte, and reading them would take forever. No tool shares strings.
   */
  private void charge(long length, int string) throws MalformedZtocException {
    nameBytesLeft -= length;
    if (nameBytesLeft < 0) {
      throw new MalformedZtocException("strings that do not overlap", string);
    }
  }

  private void numbers(Toc toc, int file, int table) throws MalformedZtocException {
    toc.modes[file] = (short) (reader.int64(table, ZtocFormat.FILE_MODE, "a mode") & 07777);
    toc.uids[file] = reader.int32(table, ZtocFormat.FILE_UID, "a user id");
    toc.gids[file] = reader.int32(table, ZtocFormat.FILE_GID, "a group id");
    int text = reader.vector(table, ZtocFormat.FILE_TIME, 1, "a time");
    charge(reader.count(text), text);
    Timestamp time = Timestamp.parse(bytes, text + 4, reader.count(text));
    toc.nanos[file] = time.nanos();
    toc.seconds[file] = time.seconds();
    long major = reader.int64(table, ZtocFormat.FILE_MAJOR, "a device number");
    long minor = reader.int64(table, ZtocFormat.FILE_MINOR, "a device number");
    if (major != 0 || minor != 0) {
      if (deviceCount == devices.length) {
        devices = Arrays.copyOf(devices, 2 * deviceCount + 8);
        deviceNumbers = Arrays.copyOf(deviceNumbers, 2 * devices.length);
      }
      devices[deviceCount] = file;
      deviceNumbers[2 * deviceCount] = major;
      deviceNumbers[2 * deviceCount + 1] = minor;
      deviceCount++;
    }
  }

  /** Where the data is: behind a header of its own, and within the archive. */
  private void place(Toc toc, int file, int table) throws MalformedZtocException {
    boolean sparse = records(toc, file, table);
    long offset = reader.int64(table, ZtocFormat.FILE_OFFSET, "an offset");
    if (offset < nextHeader + BLOCK || offset > uncompressedBytes) {
      throw new MalformedZtocException(
          "the data of file "
              + file
              + " from "
              + (nextHeader + BLOCK)
              + " to "
              + uncompressedBytes
              + ", not "
              + offset,
          table);
    }
    long size = 0;
    if (toc.type(file).hasData()) {
      size = reader.int64(table, ZtocFormat.FILE_SIZE, "a size");
      if (size < 0 || (size > uncompressedBytes - offset && !sparse)) {
        throw new MalformedZtocException(
            "the " + size + " bytes of file " + file + " within the archive", table);
      }
    }
    toc.offsets[file] = offset;
    toc.lengths[file] = size;
    nextHeader = sparse ? offset : (offset + size + BLOCK - 1) & -BLOCK;
  }

  /** Whether the file's data is stored in pieces, so that its size says nothing of the archive. */
  private boolean records(Toc toc, int file, int table) throws MalformedZtocException {
    int vector = reader.vector(table, ZtocFormat.FILE_RECORDS, 4, "the records");
    int count = reader.count(vector);
    recordsLeft -= count;
    if (recordsLeft < 0) {
      throw new MalformedZtocException("fewer records in so few bytes", vector);
    }
    boolean sparse = false;
    for (int i = 0; i < count; i++) {
      int record = reader.tableIn(vector, i, "a record");
      int key = reader.vector(record, ZtocFormat.RECORD_KEY, 1, "a key");
      int value = reader.vector(record, ZtocFormat.RECORD_VALUE, 1, "a value");
      sparse |= Toc.startsWith(bytes, key + 4, reader.count(key), SPARSE);
      record(key, value);
    }
    if (sparse) {
      whyUnservable = "sparse file " + nameText(toc, file) + ": a zTOC has no map of its pieces";
    }
    return sparse;
  }

  private void record(int key, int value) throws MalformedZtocException {
    int keyLength = reader.count(key);
    int valueLength = reader.count(value);
    charge(keyLength + LONGEST_LENGTHS, key);
    charge(valueLength, value);
    reserve(LONGEST_LENGTHS + keyLength + valueLength);
    varint(keyLength);
    varint(valueLength);
    System.arraycopy(bytes, key + 4, pool, poolEnd, keyLength);
    poolEnd += keyLength;
    System.arraycopy(bytes, value + 4, pool, poolEnd, valueLength);
    poolEnd += valueLength;
  }

  private void varint(int value) {
    int rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      pool[poolEnd++] = (byte) (rest | 0x80);
    }
    pool[poolEnd++] = (byte) rest;
  }

  private void reserve(int more) {
    if (more > pool.length - poolEnd) {
      // All that was charged for fits into an array, as the zTOC does; half as much again may not.
      long half = Math.min(poolEnd + poolEnd / 2L, bytes.length);
      pool = Arrays.copyOf(pool, (int) Math.max(poolEnd + more, half));
    }
  }

  private String nameText(Toc toc, int file) {
    int from = toc.nameAt[file];
    return new String(pool, from, toc.linkAt[file] - from, StandardCharsets.UTF_8);
  }
}
