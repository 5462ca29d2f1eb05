package dev.socifleet.ztoc.inflate;

import java.util.Arrays;

/**
 * Builds the decoding tables of Huffman codes. Not thread-safe: it holds scratch space.
 *
 * <p>The tables of a block's two codes are in one array. A table is indexed by the next bits of the
 * stream, as many as its <em>root</em> has; longer codes continue in a subtable behind the root. An
 * entry is an int:
 *
 * <pre>
 *   31             16 15  14  13      8  7   6   5        0
 *  +-----------------+---+---+---------+---+---+-----------+
 *  |     payload     |END|EXC|  code   |BAD|LIT|   total   |
 *  +-----------------+---+---+---------+---+---+-----------+
 *  total    bits to drop: those of the code and the extra bits after it
 *  LIT      a literal; payload is the byte
 *  code     bits of the code alone, so that the extra bits can be cut out
 *  EXC      neither literal nor length (distance): a pointer, END (end of block), or BAD
 *  pointer  payload is where the subtable starts, code its index bits, total the root's bits
 *  payload  else: the base value that the extra bits are added to
 * </pre>
 *
 * <p>That {@code total} is in the low six bits lets the decoder shift by the entry itself, since
 * Java takes a long's shift count modulo 64.
 */
final class CodeTables {
  static final int LITERAL = 1 << 6;
  static final int BAD = 1 << 7;
  static final int EXCEPTIONAL = 1 << 14;
  static final int END = 1 << 15;

  static final int LITERAL_BITS = 11;
  static final int DISTANCE_BITS = 9;
  static final int LENGTHS_BITS = 7;

  /**
   * Entries that a table needs at most, rounded up: a subtable of 2^s entries holds at least s+1
   * codes, so 288 codes behind an 11-bit root need less than 2048 + 288/5*16, 32 behind a 9-bit
   * root less than 512 + 32/7*64.
   */
  static final int LITERAL_SIZE = 4096;

  /** Where the distance table begins, in the array that has both: behind the literals'. */
  static final int DISTANCES = LITERAL_SIZE;

  /** Entries of both tables. */
  static final int SIZE = LITERAL_SIZE + 1024;

  private static final int MAX_BITS = 15;

  /**
   * A kind of code.
   *
   * @param symbols for each symbol an entry without its code's bits: what a code of length 0 would
   *     be
   * @param base where its table begins in the array
   * @param root index bits of the table
   * @param sparse whether it may have no code or a single one
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Code(int[] symbols, int base, int root, boolean sparse) {}

  private static final Code LITERAL_CODE = new Code(literalSymbols(), 0, LITERAL_BITS, true);
  private static final Code DISTANCE_CODE =
      new Code(distanceSymbols(), DISTANCES, DISTANCE_BITS, true);
  private static final Code LENGTH_CODE = new Code(lengthSymbols(), 0, LENGTHS_BITS, false);

  private static final int[] FIXED = new int[SIZE];

  static {
    byte[] lengths = new byte[288 + 32];
    Arrays.fill(lengths, 0, 144, (byte) 8);
    Arrays.fill(lengths, 144, 256, (byte) 9);
    Arrays.fill(lengths, 256, 280, (byte) 7);
    Arrays.fill(lengths, 280, 288, (byte) 8);
    Arrays.fill(lengths, 288, 320, (byte) 5);
    CodeTables tables = new CodeTables();
    boolean sound =
        tables.literals(lengths, 288, FIXED) && tables.distances(lengths, 288, 32, FIXED);
    if (!sound) {
      throw new AssertionError("the fixed codes of RFC 1951, 3.2.6 are complete");
    }
  }

  private final int[] counts = new int[MAX_BITS + 2];
  private final int[] starts = new int[MAX_BITS + 2];
  private final short[] sorted = new short[320];

  /** Both tables of fixed blocks (RFC 1951, 3.2.6). Shared: never written. */
  static int[] fixed() {
    return FIXED;
  }

  /**
   * The literal/length code of {@code lengths[0, n)}.
   *
   * @return false if the code is over-subscribed, or incomplete other than by being a single
   *     one-bit code
   */
  boolean literals(byte[] lengths, int n, int[] table) {
    return build(lengths, 0, n, table, LITERAL_CODE);
  }

  /** The distance code of {@code n} lengths at {@code from}; it may also have no codes at all. */
  boolean distances(byte[] lengths, int from, int n, int[] table) {
    return build(lengths, from, n, table, DISTANCE_CODE);
  }

  /** The code of the code lengths; must be complete. */
  boolean lengths(byte[] lengths, int[] table) {
    return build(lengths, 0, 19, table, LENGTH_CODE);
  }

  private boolean build(byte[] lengths, int from, int n, int[] table, Code code) {
    int[] counts = this.counts;
    Arrays.fill(counts, 0);
    for (int i = 0; i < n; i++) {
      counts[lengths[from + i]]++;
    }
    int left = 1;
    int longest = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
      left = 2 * left - counts[bits];
      if (left < 0) {
        return false;
      }
      if (counts[bits] != 0) {
        longest = bits;
      }
    }
    if (left > 0) {
      if (!code.sparse || longest > 1) {
        return false;
      }
      return single(lengths, from, n, table, code);
    }
    sort(lengths, from, n);
    fill(table, code.symbols, code.base, code.root);
    return true;
  }

  /** One code of one bit, or none: what zlib lets pass of incomplete codes. */
  private static boolean single(byte[] lengths, int from, int n, int[] table, Code code) {
    int end = code.base + (1 << code.root);
    Arrays.fill(table, code.base, end, EXCEPTIONAL | BAD | 1);
    for (int symbol = 0; symbol < n; symbol++) {
      if (lengths[from + symbol] == 1) {
        for (int i = code.base; i < end; i += 2) {
          table[i] = entry(code.symbols[symbol], 1);
        }
      }
    }
    return true;
  }

  /** Symbols ordered by code length, then by value: the order of canonical codes. */
  private void sort(byte[] lengths, int from, int n) {
    int at = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
      starts[bits] = at;
      at += counts[bits];
    }
    for (int symbol = 0; symbol < n; symbol++) {
      int bits = lengths[from + symbol];
      if (bits != 0) {
        sorted[starts[bits]++] = (short) symbol;
      }
    }
  }

  /**
   * Codes come in canonical order but reversed, as the stream has their first bit lowest. Adding
   * one to a reversed number clears its leading ones and sets the zero below them. A table of the
   * shorter codes, written twice in a row, is the table with one more index bit.
   */
  private void fill(int[] table, int[] symbols, int base, int root) {
    int next = 0;
    int code = 0;
    int size = 1;
    for (int bits = 1; bits <= root; bits++) {
      System.arraycopy(table, base, table, base + size, size);
      size <<= 1;
      for (int k = counts[bits]; k > 0; k--) {
        table[base + code] = entry(symbols[sorted[next++]], bits);
        code = successor(code, size - 1);
      }
    }
    int free = base + size;
    int prefix = -1;
    int start = 0;
    int subBits = 0;
    for (int bits = root + 1; bits <= MAX_BITS; bits++) {
      for (int k = counts[bits]; k > 0; k--) {
        if ((code & (size - 1)) != prefix) {
          prefix = code & (size - 1);
          start = free;
          subBits = subtableBits(bits, k, root);
          free = start + (1 << subBits);
          table[base + prefix] = start << 16 | EXCEPTIONAL | subBits << 8 | root;
        }
        int entry = entry(symbols[sorted[next++]], bits - root);
        for (int i = start + (code >>> root); i < free; i += 1 << (bits - root)) {
          table[i] = entry;
        }
        code = successor(code, (1 << bits) - 1);
      }
    }
  }

  /** Index bits that hold all codes with one prefix, {@code left} of the first length left over. */
  private int subtableBits(int bits, int left, int root) {
    int subBits = bits - root;
    int used = left;
    while (used < 1 << subBits) {
      subBits++;
      used = 2 * used + counts[root + subBits];
    }
    return subBits;
  }

  private static int successor(int code, int ones) {
    int zeros = code ^ ones;
    if (zeros == 0) {
      return 0;
    }
    int bit = Integer.highestOneBit(zeros);
    return (code & (bit - 1)) | bit;
  }

  private static int entry(int symbol, int bits) {
    return symbol + (bits << 8) + bits;
  }

  private static int[] literalSymbols() {
    int[] symbols = new int[288];
    for (int i = 0; i < 256; i++) {
      symbols[i] = i << 16 | LITERAL;
    }
    symbols[256] = EXCEPTIONAL | END;
    int base = 3;
    for (int i = 257; i < 285; i++) {
      int extra = Math.max(0, (i - 261) >> 2);
      symbols[i] = base << 16 | extra;
      base += 1 << extra;
    }
    symbols[285] = 258 << 16;
    symbols[286] = EXCEPTIONAL | BAD;
    symbols[287] = EXCEPTIONAL | BAD;
    return symbols;
  }

  private static int[] distanceSymbols() {
    int[] symbols = new int[32];
    int base = 1;
    for (int i = 0; i < 30; i++) {
      int extra = Math.max(0, (i - 2) >> 1);
      symbols[i] = base << 16 | extra;
      base += 1 << extra;
    }
    symbols[30] = EXCEPTIONAL | BAD;
    symbols[31] = EXCEPTIONAL | BAD;
    return symbols;
  }

  private static int[] lengthSymbols() {
    int[] symbols = new int[19];
    for (int i = 0; i < symbols.length; i++) {
      symbols[i] = i << 16;
    }
    return symbols;
  }
}
