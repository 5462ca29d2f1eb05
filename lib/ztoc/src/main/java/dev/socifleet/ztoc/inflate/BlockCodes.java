package dev.socifleet.ztoc.inflate;

import java.util.Arrays;

/**
 * The two codes of a block, as tables. Not thread-safe; reusable.
 *
 * <p>RFC 1951, 3.2.6 and 3.2.7, with the checks that zlib makes.
 */
final class BlockCodes {
  private static final byte[] LENGTH_ORDER = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
  };

  private final CodeTables tables = new CodeTables();
  private final int[] own = new int[CodeTables.SIZE];
  private final int[] lengthTable = new int[1 << CodeTables.LENGTHS_BITS];
  private final byte[] lengths = new byte[320];

  private int[] codes = own;

  /** Both tables, the distances' from {@link CodeTables#DISTANCES} on. */
  int[] codes() {
    return codes;
  }

  void useFixed() {
    codes = CodeTables.fixed();
  }

  /** Reads the codes that stand in front of a block. */
  void read(BitInput in) throws InflateException {
    int literalCodes = in.take(5) + 257;
    int distanceCodes = in.take(5) + 1;
    int lengthCodes = in.take(4) + 4;
    if (literalCodes > 286 || distanceCodes > 30) {
      throw in.error("too many length or distance symbols");
    }
    Arrays.fill(lengths, 0, 19, (byte) 0);
    for (int i = 0; i < lengthCodes; i++) {
      lengths[LENGTH_ORDER[i]] = (byte) in.take(3);
    }
    if (!tables.lengths(lengths, lengthTable)) {
      throw in.error("invalid code lengths set");
    }
    readLengths(in, literalCodes + distanceCodes);
    if (lengths[256] == 0) {
      throw in.error("invalid code: no end of block");
    }
    codes = own;
    if (!tables.literals(lengths, literalCodes, codes)) {
      throw in.error("invalid literal/lengths set");
    }
    if (!tables.distances(lengths, literalCodes, distanceCodes, codes)) {
      throw in.error("invalid distances set");
    }
  }

  private void readLengths(BitInput in, int total) throws InflateException {
    for (int i = 0; i < total; ) {
      if (in.count < 14) {
        in.refill();
      }
      int entry = lengthTable[(int) in.bits & ((1 << CodeTables.LENGTHS_BITS) - 1)];
      int used = entry & 63;
      in.bits >>>= used;
      in.count -= used;
      int symbol = entry >>> 16;
      if (symbol < 16) {
        lengths[i++] = (byte) symbol;
        continue;
      }
      byte value = 0;
      int repeat;
      switch (symbol) {
        case 16 -> {
          if (i == 0) {
            throw in.error("invalid bit length repeat");
          }
          value = lengths[i - 1];
          repeat = 3 + in.take(2);
        }
        case 17 -> repeat = 3 + in.take(3);
        default -> repeat = 11 + in.take(7);
      }
      if (i + repeat > total) {
        throw in.error("invalid bit length repeat");
      }
      Arrays.fill(lengths, i, i + repeat, value);
      i += repeat;
    }
  }
}
