package dev.socifleet.ztoc.tar;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.Map;

/**
 * One header block, taken apart. Mutable: extended headers override its fields.
 *
 * <pre>
 *    0 name 100      100 mode 8     108 uid 8      116 gid 8     124 size 12   136 mtime 12
 *  148 checksum 8    156 type 1     157 link 100
 *  257 magic 6       263 version 2  265 user 32    297 group 32  329 major 8   337 minor 8
 *  345 prefix 155 (ustar), 131 (star; then 476 atime 12, 488 ctime 12, 508 "tar\0")
 *  345 atime 12, 357 ctime 12 (GNU)
 * </pre>
 */
final class Header {
  static final int SIZE = 512;

  private static final byte[] USTAR = "ustar\0".getBytes(US_ASCII);
  private static final byte[] GNU = "ustar  \0".getBytes(US_ASCII);
  private static final byte[] STAR_TRAILER = "tar\0".getBytes(US_ASCII);
  private static final byte[] NONE = {};

  private enum Dialect {
    V7,
    USTAR,
    GNU,
    STAR
  }

  int flag;
  byte[] name;
  byte[] linkName;
  long size;
  final long mode;
  long uid;
  long gid;
  byte[] userName = NONE;
  byte[] groupName = NONE;
  long seconds;
  int nanos;
  long deviceMajor;
  long deviceMinor;

  Header(byte[] block) throws Numbers.Invalid {
    checkSum(block);
    Dialect dialect = dialect(block);
    flag = block[156] & 0xff;
    name = text(block, 0, 100);
    linkName = text(block, 157, 100);
    size = Numbers.field(block, 124, 12);
    mode = Numbers.field(block, 100, 8);
    uid = Numbers.field(block, 108, 8);
    gid = Numbers.field(block, 116, 8);
    seconds = Numbers.field(block, 136, 12);
    if (dialect != Dialect.V7) {
      userName = text(block, 265, 32);
      groupName = text(block, 297, 32);
      deviceMajor = Numbers.field(block, 329, 8);
      deviceMinor = Numbers.field(block, 337, 8);
      byte[] prefix = prefix(block, dialect);
      if (prefix.length > 0) {
        name = joined(prefix, name);
      }
    }
  }

  static boolean isZero(byte[] block) {
    for (int i = 0; i < SIZE; i++) {
      if (block[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Bytes of data that follow in the archive. */
  long dataSize() throws Numbers.Invalid {
    if (EntryType.isHeaderOnly(flag)) {
      return 0;
    }
    if (size < 0) {
      throw new Numbers.Invalid();
    }
    return size;
  }

  /** Applies PAX records; an empty value keeps the header's. */
  void apply(Map<byte[], byte[]> pax) throws Numbers.Invalid {
    for (Map.Entry<byte[], byte[]> record : pax.entrySet()) {
      byte[] key = record.getKey();
      byte[] value = record.getValue();
      if (value.length == 0) {
        continue;
      }
      if (Arrays.equals(key, PaxRecords.PATH)) {
        name = value;
      } else if (Arrays.equals(key, PaxRecords.LINK_PATH)) {
        linkName = value;
      } else if (Arrays.equals(key, PaxRecords.USER_NAME)) {
        userName = value;
      } else if (Arrays.equals(key, PaxRecords.GROUP_NAME)) {
        groupName = value;
      } else if (Arrays.equals(key, PaxRecords.UID)) {
        uid = Numbers.decimal(value);
      } else if (Arrays.equals(key, PaxRecords.GID)) {
        gid = Numbers.decimal(value);
      } else if (Arrays.equals(key, PaxRecords.SIZE)) {
        size = Numbers.decimal(value);
      } else if (Arrays.equals(key, PaxRecords.MTIME)) {
        PaxRecords.Time time = PaxRecords.time(value);
        seconds = time.seconds();
        nanos = time.nanos();
      } else if (Arrays.equals(key, PaxRecords.ATIME) || Arrays.equals(key, PaxRecords.CTIME)) {
        // Not stored, but an invalid one makes the header invalid.
        PaxRecords.time(value);
      }
    }
  }

  /** The old way to say that a member is a directory: type NUL and a name that ends in a slash. */
  void settleOldType() {
    if (flag == 0) {
      flag = name.length > 0 && name[name.length - 1] == '/' ? '5' : '0';
    }
  }

  private static byte[] prefix(byte[] block, Dialect dialect) throws Numbers.Invalid {
    return switch (dialect) {
      case V7 -> NONE;
      case USTAR -> text(block, 345, 155);
      case STAR -> {
        Numbers.field(block, 476, 12);
        Numbers.field(block, 488, 12);
        yield text(block, 345, 131);
      }
      case GNU -> {
        // Go wrote a ustar prefix into GNU headers once, where times belong; it still reads it.
        byte[] text = text(block, 345, 155);
        yield hasGnuTimes(block) || !isAscii(text) ? NONE : text;
      }
    };
  }

  private static boolean hasGnuTimes(byte[] block) {
    try {
      for (int at = 345; at <= 357; at += 12) {
        if (block[at] != 0) {
          Numbers.field(block, at, 12);
        }
      }
      return true;
    } catch (Numbers.Invalid e) {
      return false;
    }
  }

  private static Dialect dialect(byte[] block) {
    if (matches(block, 257, USTAR)) {
      return matches(block, 508, STAR_TRAILER) ? Dialect.STAR : Dialect.USTAR;
    }
    return matches(block, 257, GNU) ? Dialect.GNU : Dialect.V7;
  }

  /** The sum of all bytes, the checksum's own taken as spaces; some archivers sum signed bytes. */
  private static void checkSum(byte[] block) throws Numbers.Invalid {
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < SIZE; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : block[i];
      unsigned += b & 0xff;
      signed += b;
    }
    long said = Numbers.octal(block, 148, 8);
    if (said != unsigned && said != signed) {
      throw new Numbers.Invalid();
    }
  }

  private static boolean matches(byte[] block, int at, byte[] wanted) {
    return Arrays.equals(block, at, at + wanted.length, wanted, 0, wanted.length);
  }

  /** Bytes up to a NUL or the field's end. */
  static byte[] text(byte[] block, int from, int length) {
    int end = from;
    while (end < from + length && block[end] != 0) {
      end++;
    }
    return end == from ? NONE : Arrays.copyOfRange(block, from, end);
  }

  private static boolean isAscii(byte[] text) {
    for (byte b : text) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  private static byte[] joined(byte[] prefix, byte[] name) {
    byte[] path = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    path[prefix.length] = '/';
    System.arraycopy(name, 0, path, prefix.length + 1, name.length);
    return path;
  }
}
