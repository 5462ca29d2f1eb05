package dev.socifleet.ztoc.fuzz;

import java.util.Arrays;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Reads gzip (RFC 1952) and zlib (RFC 1950) members with the JDK's Inflater, all in one array: slow
 * and plain, to compare with.
 */
final class GzipOracle {
  /** More output than this isn't compared. */
  private static final int MOST = 1 << 20;

  private static final Inflater INFLATER = new Inflater(true);
  private static final byte[] OUT = new byte[MOST];
  private static final int BAD = -1;

  /**
   * @param crc CRC-32 of all members' output
   */
  record Result(boolean sound, boolean tooMuch, long length, long crc) {}

  /**
   * @param decoded whether header and blocks are sound
   * @param bodyEnd behind the last block
   * @param trailer what should follow
   * @param length of the output, at the start of {@link #OUT}
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Member(boolean decoded, boolean tooMuch, int bodyEnd, byte[] trailer, int length) {}

  private GzipOracle() {}

  static Result read(byte[] stream) {
    CRC32 crc = new CRC32();
    long length = 0;
    int at = 0;
    do {
      Member member = member(stream, at);
      if (!member.decoded) {
        return new Result(false, member.tooMuch, length, 0);
      }
      crc.update(OUT, 0, member.length);
      length += member.length;
      at = member.bodyEnd + member.trailer.length;
      if (at > stream.length
          || !Arrays.equals(stream, member.bodyEnd, at, member.trailer, 0, member.trailer.length)) {
        return new Result(false, false, length, 0);
      }
    } while (at < stream.length);
    return new Result(true, false, length, crc.getValue());
  }

  static Member member(byte[] stream, int from) {
    boolean zlib = u8(stream, from) != 0x1f || u8(stream, from + 1) != 0x8b;
    int body = zlib ? zlibHeader(stream, from) : gzipHeader(stream, from);
    if (body == BAD || body > stream.length) {
      return new Member(false, false, from, new byte[0], 0);
    }
    INFLATER.reset();
    INFLATER.setInput(stream, body, stream.length - body);
    int n = 0;
    try {
      while (!INFLATER.finished()) {
        int more = INFLATER.inflate(OUT, n, MOST - n);
        if (more == 0 && !INFLATER.finished()) {
          return new Member(false, n == MOST, from, new byte[0], 0);
        }
        n += more;
      }
    } catch (DataFormatException e) {
      // Some of the output may be lost with the exception, so it may also have been too much.
      return new Member(false, INFLATER.getBytesWritten() >= MOST, from, new byte[0], 0);
    }
    int end = body + (int) INFLATER.getBytesRead();
    return new Member(true, false, end, zlib ? adler(n) : crcAndLength(n), n);
  }

  private static int zlibHeader(byte[] stream, int from) {
    int method = u8(stream, from);
    int flags = u8(stream, from + 1);
    boolean sound =
        flags >= 0
            && (256 * method + flags) % 31 == 0
            && (method & 15) == 8
            && method >> 4 <= 7
            && (flags & 32) == 0;
    return sound ? from + 2 : BAD;
  }

  private static int gzipHeader(byte[] stream, int from) {
    int flags = u8(stream, from + 3);
    if (u8(stream, from + 2) != 8 || flags < 0 || (flags & 0xe0) != 0) {
      return BAD;
    }
    int at = from + 10;
    if ((flags & 4) != 0) {
      if (u8(stream, at + 1) < 0) {
        return BAD;
      }
      at += 2 + u8(stream, at) + 256 * u8(stream, at + 1);
    }
    for (int flag = 8; flag <= 16; flag *= 2) {
      if ((flags & flag) != 0) {
        while (u8(stream, at) > 0) {
          at++;
        }
        at++;
      }
    }
    if ((flags & 2) != 0) {
      if (u8(stream, at + 1) < 0) {
        return BAD;
      }
      CRC32 crc = new CRC32();
      crc.update(stream, from, at - from);
      if ((crc.getValue() & 0xffff) != u8(stream, at) + 256 * u8(stream, at + 1)) {
        return BAD;
      }
      at += 2;
    }
    return at;
  }

  /** A byte, or -1 behind the end. */
  private static int u8(byte[] stream, int at) {
    return at < stream.length ? stream[at] & 0xff : -1;
  }

  private static byte[] adler(int n) {
    Adler32 sum = new Adler32();
    sum.update(OUT, 0, n);
    int value = (int) sum.getValue();
    return new byte[] {
      (byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value
    };
  }

  private static byte[] crcAndLength(int n) {
    CRC32 crc = new CRC32();
    crc.update(OUT, 0, n);
    byte[] trailer = new byte[8];
    for (int i = 0; i < 4; i++) {
      trailer[i] = (byte) (crc.getValue() >>> (8 * i));
      trailer[4 + i] = (byte) (n >>> (8 * i));
    }
    return trailer;
  }
}
