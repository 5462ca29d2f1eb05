package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * The files of a layer, in archive order, which is the order of their offsets. Immutable.
 *
 * <p>Numbers are held in arrays, about 90 bytes a file; names and records are read in place, out of
 * the zTOC's bytes, which it keeps.
 *
 * <p>Names are as in the archive: whatever bytes the archiver wrote, {@code ./} and {@code ..} and
 * repeated names included.
 */
public final class Toc {
  private static final byte[] XATTR = "SCHILY.xattr.".getBytes(StandardCharsets.US_ASCII);

  /** Strings of a file, each a place in the zTOC's bytes. */
  static final int STRINGS = 4;

  static final int NAME = 0;
  static final int LINK = 1;
  static final int USER = 2;
  static final int GROUP = 3;

  /** Long numbers of a file. */
  static final int NUMBERS = 5;

  static final int OFFSET = 0;
  static final int LENGTH = 1;
  static final int SECONDS = 2;
  static final int MAJOR = 3;
  static final int MINOR = 4;

  /** Short numbers of a file. */
  static final int SMALL_NUMBERS = 4;

  static final int MODE = 0;
  static final int UID = 1;
  static final int GID = 2;
  static final int NANOS = 3;

  private final byte[] bytes;
  private final FlatReader reader;
  final EntryType[] types;
  final int[] strings;
  final long[] numbers;
  final int[] smallNumbers;
  final int[] records;

  Toc(byte[] bytes, FlatReader reader, int files) {
    this.bytes = bytes;
    this.reader = reader;
    types = new EntryType[files];
    strings = new int[files * STRINGS];
    numbers = new long[files * NUMBERS];
    smallNumbers = new int[files * SMALL_NUMBERS];
    records = new int[files];
  }

  public int size() {
    return types.length;
  }

  public byte[] name(int file) {
    return copy(strings[file * STRINGS + NAME]);
  }

  /** The name for people: bytes that are no UTF-8 are replaced. */
  public String nameText(int file) {
    return new String(name(file), StandardCharsets.UTF_8);
  }

  /** The last file with exactly this name, which is the one that counts if a name repeats. */
  public OptionalInt find(byte[] name) {
    for (int file = size() - 1; file >= 0; file--) {
      int string = strings[file * STRINGS + NAME];
      int from = string + 4;
      if (Arrays.equals(bytes, from, from + reader.count(string), name, 0, name.length)) {
        return OptionalInt.of(file);
      }
    }
    return OptionalInt.empty();
  }

  public EntryType type(int file) {
    return types[file];
  }

  /** Uncompressed offset of the file's first byte of data. */
  public long offset(int file) {
    return numbers[file * NUMBERS + OFFSET];
  }

  /** Bytes of data; 0 for all types but regular files, even where the archive says otherwise. */
  public long length(int file) {
    return numbers[file * NUMBERS + LENGTH];
  }

  /** Target of a hard link (a name in this archive) or symbolic link; else usually empty. */
  public byte[] linkName(int file) {
    return copy(strings[file * STRINGS + LINK]);
  }

  /** Permissions with the set-user-id, set-group-id and sticky bits: 0 to 07777. */
  public int mode(int file) {
    return smallNumbers[file * SMALL_NUMBERS + MODE];
  }

  /** Owner, an unsigned number of 32 bits. */
  public int uid(int file) {
    return smallNumbers[file * SMALL_NUMBERS + UID];
  }

  /** Group, an unsigned number of 32 bits. */
  public int gid(int file) {
    return smallNumbers[file * SMALL_NUMBERS + GID];
  }

  public byte[] userName(int file) {
    return copy(strings[file * STRINGS + USER]);
  }

  public byte[] groupName(int file) {
    return copy(strings[file * STRINGS + GROUP]);
  }

  /** Modification time, seconds since 1970 UTC. */
  public long modifiedSeconds(int file) {
    return numbers[file * NUMBERS + SECONDS];
  }

  /** Modification time's fraction: 0 to 999,999,999, to be added. */
  public int modifiedNanos(int file) {
    return smallNumbers[file * SMALL_NUMBERS + NANOS];
  }

  public long deviceMajor(int file) {
    return numbers[file * NUMBERS + MAJOR];
  }

  public long deviceMinor(int file) {
    return numbers[file * NUMBERS + MINOR];
  }

  /** All PAX records. */
  public List<PaxRecord> paxRecords(int file) {
    int vector = records[file];
    List<PaxRecord> all = new ArrayList<>(reader.count(vector));
    try {
      for (int i = 0; i < reader.count(vector); i++) {
        int record = reader.tableIn(vector, i, "a record");
        int key = reader.vector(record, ZtocFormat.RECORD_KEY, 1, "a key");
        int value = reader.vector(record, ZtocFormat.RECORD_VALUE, 1, "a value");
        all.add(new PaxRecord(copy(key), copy(value)));
      }
    } catch (MalformedZtocException e) {
      throw new IllegalStateException("the bytes of a parsed zTOC were changed", e);
    }
    return all;
  }

  /** Extended attributes: names with their namespace, as {@code user.mime_type}. None repeats. */
  public List<PaxRecord> xattrs(int file) {
    if (reader.count(records[file]) == 0) {
      return List.of();
    }
    List<PaxRecord> attributes = new ArrayList<>();
    for (PaxRecord record : paxRecords(file)) {
      byte[] key = record.key();
      if (startsWith(key, 0, key.length, XATTR) && key.length > XATTR.length) {
        byte[] name = Arrays.copyOfRange(key, XATTR.length, key.length);
        attributes.removeIf(other -> Arrays.equals(other.key(), name));
        attributes.add(new PaxRecord(name, record.value()));
      }
    }
    return attributes;
  }

  static boolean startsWith(byte[] bytes, int from, int length, byte[] prefix) {
    return length >= prefix.length
        && Arrays.equals(bytes, from, from + prefix.length, prefix, 0, prefix.length);
  }

  private byte[] copy(int string) {
    return Arrays.copyOfRange(bytes, string + 4, string + 4 + reader.count(string));
  }
}
