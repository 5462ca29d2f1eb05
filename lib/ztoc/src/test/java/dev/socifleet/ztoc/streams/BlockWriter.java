package dev.socifleet.ztoc.streams;

import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32;

/**
 * Writes gzip members bit by bit, with any block that RFC 1951 can express, sound or not: what no
 * encoder makes of its own accord. Keeps the output that it stands for, for the trailer's sake.
 */
public final class BlockWriter {
  private static final int[] LENGTH_ORDER = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
  };

  /** A complete code for the code lengths: 13 symbols of 4 bits, 6 of 5 bits. */
  private static final int[] LENGTHS_CODE = {
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5
  };

  private final ByteArrayOutputStream to = new ByteArrayOutputStream();
  private byte[] output = new byte[1024];
  private int length;
  private int memberStart;
  private int pending;
  private int pendingBits;

  private int[] literalLengths = new int[0];
  private int[] literalCodes = new int[0];
  private int[] distanceLengths = new int[0];
  private int[] distanceCodes = new int[0];

  /** All that was written; whole bytes. */
  public byte[] bytes() {
    return to.toByteArray();
  }

  /** What the members so far decompress to. */
  public int outputLength() {
    return length;
  }

  /** How many bits of the last byte are in use; 0 for all or none. */
  public int phase() {
    return pendingBits;
  }

  /** The shortest header. */
  public BlockWriter header() {
    return header(0, 0, 0, 0);
  }

  /**
   * A gzip header.
   *
   * @param flags 2 FHCRC, 4 FEXTRA, 8 FNAME, 16 FCOMMENT, and others that mean nothing
   */
  public BlockWriter header(int flags, int extra, int name, int comment) {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    for (int b : new int[] {0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 255}) {
      header.write(b);
    }
    if ((flags & 4) != 0) {
      header.write(extra & 0xff);
      header.write(extra >>> 8);
      text(header, extra, 0);
    }
    if ((flags & 8) != 0) {
      text(header, name, 1);
      header.write(0);
    }
    if ((flags & 16) != 0) {
      text(header, comment, 1);
      header.write(0);
    }
    if ((flags & 2) != 0) {
      CRC32 crc = new CRC32();
      crc.update(header.toByteArray());
      header.write((int) crc.getValue() & 0xff);
      header.write((int) crc.getValue() >>> 8 & 0xff);
    }
    raw(header.toByteArray());
    memberStart = length;
    return this;
  }

  private static void text(ByteArrayOutputStream to, int n, int lowest) {
    for (int i = 0; i < n; i++) {
      to.write(lowest + i % 255);
    }
  }

  /** Bytes at a whole byte, unseen. */
  public BlockWriter raw(byte[] bytes) {
    align();
    to.writeBytes(bytes);
    return this;
  }

  /** The member's end: CRC-32 and length. */
  public BlockWriter trailer() {
    align();
    CRC32 crc = new CRC32();
    crc.update(output, memberStart, length - memberStart);
    for (int i = 0; i < 4; i++) {
      to.write((int) (crc.getValue() >>> (8 * i)) & 0xff);
    }
    for (int i = 0; i < 4; i++) {
      to.write((length - memberStart) >>> (8 * i) & 0xff);
    }
    return this;
  }

  /** Lowest bit first. */
  public BlockWriter bits(int value, int n) {
    for (int i = 0; i < n; i++) {
      pending |= (value >>> i & 1) << pendingBits++;
      if (pendingBits == 8) {
        align();
      }
    }
    return this;
  }

  /** A Huffman code: its first bit is the highest. */
  private void code(int code, int n) {
    for (int i = n - 1; i >= 0; i--) {
      bits(code >>> i, 1);
    }
  }

  private void align() {
    if (pendingBits > 0) {
      to.write(pending);
      pending = 0;
      pendingBits = 0;
    }
  }

  /** A stored block. */
  public BlockWriter stored(boolean last, byte[] data, int from, int n) {
    bits(last ? 1 : 0, 3);
    align();
    bits(n, 16).bits(~n, 16);
    for (int i = 0; i < n; i++) {
      to.write(data[from + i]);
      produce(data[from + i]);
    }
    return this;
  }

  /** Begins a block of the fixed codes. */
  public BlockWriter fixed(boolean last) {
    int[] literals = new int[288];
    for (int i = 0; i < 288; i++) {
      literals[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    int[] distances = new int[32];
    java.util.Arrays.fill(distances, 5);
    bits(last ? 1 : 0, 1).bits(1, 2);
    use(literals, distances);
    return this;
  }

  /**
   * Begins a block of its own codes.
   *
   * @param literals code lengths, 257 to 288 of them; they need not make a code
   * @param repeat whether equal lengths are written as repeats where possible
   */
  public BlockWriter dynamic(boolean last, int[] literals, int[] distances, boolean repeat) {
    bits(last ? 1 : 0, 1).bits(2, 2);
    bits(literals.length - 257, 5).bits(distances.length - 1, 5).bits(15, 4);
    for (int symbol : LENGTH_ORDER) {
      bits(LENGTHS_CODE[symbol], 3);
    }
    int[] codes = canonical(LENGTHS_CODE);
    int[] all = new int[literals.length + distances.length];
    System.arraycopy(literals, 0, all, 0, literals.length);
    System.arraycopy(distances, 0, all, literals.length, distances.length);
    for (int i = 0; i < all.length; ) {
      int run = 1;
      while (i + run < all.length && all[i + run] == all[i]) {
        run++;
      }
      if (repeat && all[i] == 0 && run >= 3) {
        int n = Math.min(run, 138);
        int symbol = n < 11 ? 17 : 18;
        code(codes[symbol], LENGTHS_CODE[symbol]);
        bits(n < 11 ? n - 3 : n - 11, n < 11 ? 3 : 7);
        i += n;
      } else if (repeat && i > 0 && all[i] == all[i - 1] && run >= 3) {
        int n = Math.min(run, 6);
        code(codes[16], LENGTHS_CODE[16]);
        bits(n - 3, 2);
        i += n;
      } else {
        code(codes[all[i]], LENGTHS_CODE[all[i]]);
        i++;
      }
    }
    use(literals, distances);
    return this;
  }

  private void use(int[] literals, int[] distances) {
    literalLengths = literals;
    literalCodes = canonical(literals);
    distanceLengths = distances;
    distanceCodes = canonical(distances);
  }

  /** RFC 1951, 3.2.2. */
  private static int[] canonical(int[] lengths) {
    int[] codes = new int[lengths.length];
    int code = 0;
    for (int n = 1; n <= 15; n++) {
      code <<= 1;
      for (int symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] == n) {
          codes[symbol] = code++;
        }
      }
    }
    return codes;
  }

  public BlockWriter literal(int value) {
    symbol(value);
    produce((byte) value);
    return this;
  }

  /** Any symbol of the literal/length code, without what should follow it. */
  public BlockWriter symbol(int symbol) {
    code(literalCodes[symbol], literalLengths[symbol]);
    return this;
  }

  public BlockWriter distanceSymbol(int symbol) {
    code(distanceCodes[symbol], distanceLengths[symbol]);
    return this;
  }

  /** The block's end. */
  public BlockWriter end() {
    return symbol(256);
  }

  /** Copies what was output {@code distance} bytes ago. */
  public BlockWriter match(int n, int distance) {
    return match(n, distance, false);
  }

  /**
   * @param odd writes the length 258 as symbol 284 with all extra bits set, as nobody does
   */
  public BlockWriter match(int n, int distance, boolean odd) {
    if (n == 258 && !odd) {
      symbol(285);
    } else {
      int symbol = 257;
      int base = 3;
      while (base + (1 << lengthExtra(symbol)) <= n) {
        base += 1 << lengthExtra(symbol++);
      }
      symbol(symbol).bits(n - base, lengthExtra(symbol));
    }
    int symbol = 0;
    int base = 1;
    while (base + (1 << distanceExtra(symbol)) <= distance) {
      base += 1 << distanceExtra(symbol++);
    }
    distanceSymbol(symbol).bits(distance - base, distanceExtra(symbol));
    for (int i = 0; i < n; i++) {
      produce(distance <= length ? output[length - distance] : 0);
    }
    return this;
  }

  private static int lengthExtra(int symbol) {
    return Math.max(0, (symbol - 261) >> 2);
  }

  private static int distanceExtra(int symbol) {
    return Math.max(0, (symbol - 2) >> 1);
  }

  private void produce(byte value) {
    if (length == output.length) {
      output = java.util.Arrays.copyOf(output, 2 * length);
    }
    output[length++] = value;
  }
}
