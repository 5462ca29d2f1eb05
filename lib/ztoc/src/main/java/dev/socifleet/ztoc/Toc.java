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
 * <p>It keeps nothing of the zTOC that it was read from. A file takes {@value #BYTES_PER_FILE}
 * bytes in arrays, and its part of a pool of bytes:
 *
 * <pre>
 *  nameAt  linkAt   recordsAt                                            nameAt of the next
 *  v       v        v                                                    v
 *  | name  | target | for each PAX record: key length, value length, key, value |
 * </pre>
 *
 * Lengths are varints: seven bits a byte, the lowest first, the top bit set on all but the last.
 *
 * <p>Names are as in the archive: whatever bytes the archiver wrote, {@code ./} and {@code ..} and
 * repeated names included.
 */
public final class Toc {
  /** Of all arrays with a place for each file. */
  static final int BYTES_PER_FILE = 3 * Long.BYTES + 8 * Integer.BYTES + Short.BYTES + Byte.BYTES;

  private static final EntryType[] TYPES = EntryType.values();
  private static final byte[] XATTR = "SCHILY.xattr.".getBytes(StandardCharsets.US_ASCII);

  /** One place more than there are files: the last is the pool's end. */
  final int[] nameAt;

  final int[] linkAt;
  final int[] recordsAt;
  byte[] pool = {};

  /** Indexes into {@link #owners}: few owners have many files. */
  final int[] users;

  final int[] groups;
  byte[][] owners = {};

  final byte[] types;
  final short[] modes;
  final int[] uids;
  final int[] gids;
  final long[] offsets;
  final long[] lengths;
  final long[] seconds;
  final int[] nanos;

  /** Files with a device number, ascending; major and minor of each in turn. */
  int[] devices = {};

  long[] deviceNumbers = {};

  /** Arrays for {@code files} files, to be filled by {@link TocParser}. */
  Toc(int files) {
    nameAt = new int[files + 1];
    linkAt = new int[files];
    recordsAt = new int[files];
    users = new int[files];
    groups = new int[files];
    types = new byte[files];
    modes = new short[files];
    uids = new int[files];
    gids = new int[files];
    offsets = new long[files];
    lengths = new long[files];
    seconds = new long[files];
    nanos = new int[files];
  }

  public int size() {
    return types.length;
  }

  public byte[] name(int file) {
    return Arrays.copyOfRange(pool, nameAt[file], linkAt[file]);
  }

  /** The name for people: bytes that are no UTF-8 are replaced. */
  public String nameText(int file) {
    return new String(pool, nameAt[file], linkAt[file] - nameAt[file], StandardCharsets.UTF_8);
  }

  /** The last file with exactly this name, which is the one that counts if a name repeats. */
  public OptionalInt find(byte[] name) {
    for (int file = size() - 1; file >= 0; file--) {
      if (Arrays.equals(pool, nameAt[file], linkAt[file], name, 0, name.length)) {
        return OptionalInt.of(file);
      }
    }
    return OptionalInt.empty();
  }

  public EntryType type(int file) {
    return TYPES[types[file]];
  }

  /** Uncompressed offset of the file's first byte of data. */
  public long offset(int file) {
    return offsets[file];
  }

  /** Bytes of data; 0 for all types but regular files, even where the archive says otherwise. */
  public long length(int file) {
    return lengths[file];
  }

  /** Target of a hard link (a name in this archive) or symbolic link; else usually empty. */
  public byte[] linkName(int file) {
    return Arrays.copyOfRange(pool, linkAt[file], recordsAt[file]);
  }

  /** Permissions with the set-user-id, set-group-id and sticky bits: 0 to 07777. */
  public int mode(int file) {
    return modes[file];
  }

  /** Owner, an unsigned number of 32 bits. */
  public int uid(int file) {
    return uids[file];
  }

  /** Group, an unsigned number of 32 bits. */
  public int gid(int file) {
    return gids[file];
  }

  public byte[] userName(int file) {
    return owners[users[file]].clone();
  }

  public byte[] groupName(int file) {
    return owners[groups[file]].clone();
  }

  /** Modification time, seconds since 1970 UTC. */
  public long modifiedSeconds(int file) {
    return seconds[file];
  }

  /** Modification time's fraction: 0 to 999,999,999, to be added. */
  public int modifiedNanos(int file) {
    return nanos[file];
  }

  public long deviceMajor(int file) {
    int device = Arrays.binarySearch(devices, file);
    return device < 0 ? 0 : deviceNumbers[2 * device];
  }

  public long deviceMinor(int file) {
    int device = Arrays.binarySearch(devices, file);
    return device < 0 ? 0 : deviceNumbers[2 * device + 1];
  }

  /** All PAX records. */
  public List<PaxRecord> paxRecords(int file) {
    int at = recordsAt[file];
    int end = nameAt[file + 1];
    if (at == end) {
      return List.of();
    }
    List<PaxRecord> all = new ArrayList<>();
    while (at < end) {
      int key = varint(at);
      at += varintBytes(key);
      int value = varint(at);
      at += varintBytes(value);
      all.add(
          new PaxRecord(
              Arrays.copyOfRange(pool, at, at + key),
              Arrays.copyOfRange(pool, at + key, at + key + value)));
      at += key + value;
    }
    return all;
  }

  /** Extended attributes: names with their namespace, as {@code user.mime_type}. None repeats. */
  public List<PaxRecord> xattrs(int file) {
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

  private int varint(int at) {
    int value = 0;
    for (int i = 0; ; i++) {
      value |= (pool[at + i] & 0x7f) << (7 * i);
      if (pool[at + i] >= 0) {
        return value;
      }
    }
  }

  static int varintBytes(int value) {
    return value == 0 ? 1 : (38 - Integer.numberOfLeadingZeros(value)) / 7;
  }
}
