package dev.socifleet.ztoc.inflate;

import java.util.zip.CRC32;

/**
 * Reads a member's header a byte at a time, in constant memory however long its name is: a gzip
 * header (RFC 1952, 2.3), or a zlib header (RFC 1950, 2.2), which zlib takes as well where it was
 * asked to find out. Not thread-safe; reusable.
 *
 * <pre>
 *  0    1    2    3    4       8    9    10
 *  +----+----+----+----+-------+----+----+ +-----------+ +--------+ +--------+ +-------+
 *  |0x1f|0x8b| 8  |FLG | mtime |XFL | OS | |LEN, extra | |name NUL| |note NUL| | CRC16 |
 *  +----+----+----+----+-------+----+----+ +-----------+ +--------+ +--------+ +-------+
 *                                            FLG bit 2     bit 3      bit 4      bit 1
 *
 *  +---------------------+----+
 *  |window - 8|  method 8| FLG|  both as one big-endian number: a multiple of 31
 *  +---------------------+----+  FLG bit 5: a preset dictionary, which nobody has here
 * </pre>
 */
final class MemberHeader {
  private static final int HAS_CRC = 2;
  private static final int HAS_EXTRA = 4;
  private static final int HAS_NAME = 8;
  private static final int HAS_COMMENT = 16;
  private static final int RESERVED = 0xe0;
  private static final int ZLIB_DICTIONARY = 0x20;
  private static final int ZLIB_LARGEST_WINDOW = 7;

  private enum Part {
    FIXED,
    EXTRA_LENGTH,
    EXTRA,
    NAME,
    COMMENT,
    CRC,
    DONE
  }

  private final CRC32 crc = new CRC32();
  private Part part = Part.FIXED;
  private int at;
  private int flags;
  private int value;
  private int longestText;
  private boolean zlib;

  void reset() {
    crc.reset();
    enter(Part.FIXED);
    longestText = 0;
    zlib = false;
  }

  boolean done() {
    return part == Part.DONE;
  }

  /** Whether it is a zlib header, so that the member's trailer is one of zlib too. */
  boolean zlib() {
    return zlib;
  }

  /** Bytes of the longer of name and comment, with the NUL. */
  int longestText() {
    return longestText;
  }

  /**
   * @param b the next byte, 0 to 255
   * @param offset its compressed offset, for messages
   */
  void accept(int b, long offset) throws InflateException {
    if (part != Part.CRC) {
      crc.update(b);
    }
    switch (part) {
      case FIXED -> fixed(b, offset);
      case EXTRA_LENGTH -> {
        value |= b << (8 * at++);
        if (at == 2) {
          int length = value;
          enter(length == 0 ? after(HAS_EXTRA) : Part.EXTRA);
          value = length;
        }
      }
      case EXTRA -> {
        if (++at == value) {
          enter(after(HAS_EXTRA));
        }
      }
      case NAME -> text(b, HAS_NAME);
      case COMMENT -> text(b, HAS_COMMENT);
      case CRC -> {
        value |= b << (8 * at++);
        if (at == 2) {
          if (value != (crc.getValue() & 0xffff)) {
            throw new InflateException("gzip header: checksum (FHCRC) does not match", offset);
          }
          enter(Part.DONE);
        }
      }
      case DONE -> throw new IllegalStateException("the header is complete");
    }
  }

  private void fixed(int b, long offset) throws InflateException {
    switch (at) {
      case 0 -> value = b;
      case 1 -> {
        if (value != 0x1f || b != 0x8b) {
          zlib(value, b, offset);
          return;
        }
      }
      case 2 -> {
        if (b != 8) {
          throw new InflateException(
              "gzip: invalid header: unknown compression method " + b, offset);
        }
      }
      case 3 -> {
        flags = b;
        if ((b & RESERVED) != 0) {
          throw new InflateException("gzip: invalid header: reserved flags are set", offset);
        }
      }
      default -> {}
    }
    if (++at == 10) {
      enter(after(0));
    }
  }

  private void zlib(int method, int flags, long offset) throws InflateException {
    if (((method << 8) | flags) % 31 != 0
        || (method & 0x0f) != 8
        || (method >>> 4) > ZLIB_LARGEST_WINDOW) {
      throw new InflateException("gzip: invalid header: no magic number", offset - 1);
    }
    if ((flags & ZLIB_DICTIONARY) != 0) {
      throw new InflateException("zlib: invalid header: a preset dictionary", offset);
    }
    zlib = true;
    enter(Part.DONE);
  }

  private void text(int b, int flag) {
    if (at != Integer.MAX_VALUE) {
      at++;
    }
    if (b == 0) {
      longestText = Math.max(longestText, at);
      enter(after(flag));
    }
  }

  private void enter(Part next) {
    part = next;
    at = 0;
    value = 0;
  }

  /** The part that follows the one with this flag. */
  private Part after(int flag) {
    if (flag < HAS_EXTRA && (flags & HAS_EXTRA) != 0) {
      return Part.EXTRA_LENGTH;
    }
    if (flag < HAS_NAME && (flags & HAS_NAME) != 0) {
      return Part.NAME;
    }
    if (flag < HAS_COMMENT && (flags & HAS_COMMENT) != 0) {
      return Part.COMMENT;
    }
    return (flags & HAS_CRC) != 0 ? Part.CRC : Part.DONE;
  }
}
