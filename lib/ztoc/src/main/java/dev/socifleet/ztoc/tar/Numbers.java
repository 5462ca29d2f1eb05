package dev.socifleet.ztoc.tar;

/** The ways in which tar writes numbers. Each method throws {@link Invalid} where Go refuses. */
final class Numbers {
  /** Not a number in the form asked for, or too large for 64 bits. */
  static final class Invalid extends Exception {
    private static final long serialVersionUID = 1L;

    Invalid() {
      super(null, null, false, false);
    }
  }

  private Numbers() {}

  /**
   * A field of a header block: base-256 if the top bit is set, else octal.
   *
   * <p>Base-256 is a big-endian two's complement number whose top bit is the mark and whose next
   * bit is the sign.
   */
  static long field(byte[] block, int from, int length) throws Invalid {
    if (block[from] >= 0) {
      return octal(block, from, length);
    }
    int inverted = (block[from] & 0x40) != 0 ? 0xff : 0;
    long value = 0;
    for (int i = 0; i < length; i++) {
      int b = (block[from + i] & 0xff) ^ inverted;
      if (i == 0) {
        b &= 0x7f;
      }
      if (value >>> 56 != 0) {
        throw new Invalid();
      }
      value = (value << 8) | b;
    }
    if (value < 0) {
      throw new Invalid();
    }
    return inverted != 0 ? ~value : value;
  }

  /** Octal digits between spaces and NULs on either side; nothing at all is 0. */
  static long octal(byte[] block, int from, int length) throws Invalid {
    int start = from;
    int end = from + length;
    while (start < end && isFiller(block[start])) {
      start++;
    }
    while (end > start && isFiller(block[end - 1])) {
      end--;
    }
    long value = 0;
    for (int i = start; i < end && block[i] != 0; i++) {
      int digit = block[i] - '0';
      if (digit < 0 || digit > 7 || value >>> 61 != 0) {
        throw new Invalid();
      }
      value = (value << 3) | digit;
    }
    return value;
  }

  private static boolean isFiller(byte b) {
    return b == ' ' || b == 0;
  }

  /** A decimal 64-bit number with an optional sign and nothing around it. */
  static long decimal(byte[] text, int from, int to) throws Invalid {
    int at = from;
    boolean negative = false;
    if (at < to && (text[at] == '-' || text[at] == '+')) {
      negative = text[at] == '-';
      at++;
    }
    if (at == to) {
      throw new Invalid();
    }
    // Counted down, as the negative side has one number more.
    long value = 0;
    for (; at < to; at++) {
      int digit = text[at] - '0';
      if (digit < 0 || digit > 9 || value < Long.MIN_VALUE / 10) {
        throw new Invalid();
      }
      value *= 10;
      if (value < Long.MIN_VALUE + digit) {
        throw new Invalid();
      }
      value -= digit;
    }
    if (!negative && value == Long.MIN_VALUE) {
      throw new Invalid();
    }
    return negative ? value : -value;
  }

  static long decimal(byte[] text) throws Invalid {
    return decimal(text, 0, text.length);
  }
}
