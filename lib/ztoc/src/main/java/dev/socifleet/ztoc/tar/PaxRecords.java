package dev.socifleet.ztoc.tar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The payload of a PAX extended header (POSIX pax, "pax Header Block"): records of the form {@code
 * <length> <key>=<value>\n}, where length is that of the whole record in decimal.
 */
final class PaxRecords {
  static final byte[] PATH = ascii("path");
  static final byte[] LINK_PATH = ascii("linkpath");
  static final byte[] USER_NAME = ascii("uname");
  static final byte[] GROUP_NAME = ascii("gname");
  static final byte[] UID = ascii("uid");
  static final byte[] GID = ascii("gid");
  static final byte[] SIZE = ascii("size");
  static final byte[] MTIME = ascii("mtime");
  static final byte[] ATIME = ascii("atime");
  static final byte[] CTIME = ascii("ctime");

  static final byte[] SPARSE_MAJOR = ascii("GNU.sparse.major");
  static final byte[] SPARSE_MINOR = ascii("GNU.sparse.minor");
  static final byte[] SPARSE_NAME = ascii("GNU.sparse.name");
  static final byte[] SPARSE_SIZE = ascii("GNU.sparse.size");
  static final byte[] SPARSE_REAL_SIZE = ascii("GNU.sparse.realsize");
  static final byte[] SPARSE_BLOCKS = ascii("GNU.sparse.numblocks");
  static final byte[] SPARSE_MAP = ascii("GNU.sparse.map");
  private static final byte[] SPARSE_OFFSET = ascii("GNU.sparse.offset");
  private static final byte[] SPARSE_BYTES = ascii("GNU.sparse.numbytes");

  private static final byte[] NONE = {};

  /** Of a member without PAX header. */
  static final SortedMap<byte[], byte[]> EMPTY =
      Collections.unmodifiableSortedMap(new TreeMap<byte[], byte[]>(Arrays::compareUnsigned));

  /** A modification time as in PAX. */
  record Time(long seconds, int nanos) {}

  private PaxRecords() {}

  /**
   * All records; of a key that repeats, the last. Pairs of {@code GNU.sparse.offset} and {@code
   * numbytes} (sparse format 0.0) become one {@code GNU.sparse.map}, as in format 0.1.
   */
  static SortedMap<byte[], byte[]> parse(byte[] text, int length) throws Numbers.Invalid {
    SortedMap<byte[], byte[]> records = new TreeMap<>(Arrays::compareUnsigned);
    StringBuilder sparse = new StringBuilder();
    int sparseValues = 0;
    for (int at = 0; at < length; ) {
      int space = indexOf(text, at, length, ' ');
      long size = Numbers.decimal(text, at, space);
      // The shortest record is "5 k=\n".
      if (size < 5 || size > length - at || size <= space + 1 - at) {
        throw new Numbers.Invalid();
      }
      int end = at + (int) size - 1;
      if (text[end] != '\n') {
        throw new Numbers.Invalid();
      }
      int equals = indexOf(text, space + 1, end, '=');
      byte[] key = Arrays.copyOfRange(text, space + 1, equals);
      byte[] value = Arrays.copyOfRange(text, equals + 1, end);
      if (key.length == 0 || contains(isText(key) ? value : key, 0)) {
        throw new Numbers.Invalid();
      }
      boolean offset = Arrays.equals(key, SPARSE_OFFSET);
      if (offset || Arrays.equals(key, SPARSE_BYTES)) {
        if (offset != (sparseValues % 2 == 0) || contains(value, ',')) {
          throw new Numbers.Invalid();
        }
        sparse.append(sparseValues++ == 0 ? "" : ",");
        sparse.append(new String(value, StandardCharsets.ISO_8859_1));
      } else {
        records.put(key, value);
      }
      at = end + 1;
    }
    if (sparseValues > 0) {
      records.put(SPARSE_MAP, sparse.toString().getBytes(StandardCharsets.ISO_8859_1));
    }
    return Collections.unmodifiableSortedMap(records);
  }

  /** The value of a key; empty if it has none, which means the same. */
  static byte[] value(Map<byte[], byte[]> records, byte[] key) {
    byte[] value = records.get(key);
    return value == null ? NONE : value;
  }

  /** Seconds with an optional fraction; digits behind the ninth are dropped. */
  static Time time(byte[] text) throws Numbers.Invalid {
    int point = 0;
    while (point < text.length && text[point] != '.') {
      point++;
    }
    long seconds = Numbers.decimal(text, 0, point);
    int nanos = 0;
    int unit = 100_000_000;
    for (int i = point + 1; i < text.length; i++) {
      int digit = text[i] - '0';
      if (digit < 0 || digit > 9) {
        throw new Numbers.Invalid();
      }
      nanos += digit * unit;
      unit /= 10;
    }
    if (text[0] == '-' && nanos != 0) {
      return new Time(seconds - 1, 1_000_000_000 - nanos);
    }
    return new Time(seconds, nanos);
  }

  /** Keys whose values may not have a NUL; of all others the key may not. */
  private static boolean isText(byte[] key) {
    return Arrays.equals(key, PATH)
        || Arrays.equals(key, LINK_PATH)
        || Arrays.equals(key, USER_NAME)
        || Arrays.equals(key, GROUP_NAME);
  }

  private static int indexOf(byte[] text, int from, int to, int wanted) throws Numbers.Invalid {
    for (int i = from; i < to; i++) {
      if (text[i] == wanted) {
        return i;
      }
    }
    throw new Numbers.Invalid();
  }

  static boolean contains(byte[] text, int wanted) {
    for (byte b : text) {
      if (b == wanted) {
        return true;
      }
    }
    return false;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
