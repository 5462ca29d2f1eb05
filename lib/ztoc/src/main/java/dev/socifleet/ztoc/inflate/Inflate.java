package dev.socifleet.ztoc.inflate;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Decodes raw deflate blocks (RFC 1951). Not thread-safe; reusable.
 *
 * <h2>Why our own</h2>
 *
 * {@code java.util.zip.Inflater} neither stops at block boundaries nor starts inside a byte, and
 * both are what a checkpoint is. Being our own it can also be about twice as fast: what costs zlib
 * its time is not arithmetic but asking, for each symbol, whether there is input and room left.
 *
 * <h2>No slow path</h2>
 *
 * The usual fast inflater has two loops: one that runs while both buffers have room to spare, and a
 * careful one for the ends. Here there is only the first. The caller gives room to spare on the
 * output side ({@link #OUTPUT_SLACK} bytes behind any limit it names: a limit may be passed by less
 * than that, never by a byte more). On the input side the decoder asks for more when fewer than
 * {@link #CODES_INPUT} bytes are left, and once it is told that there is no more, it moves to an
 * array of its own that holds the rest and zeros behind it. So it may read past the end, but it
 * counts what it reads: each return to the caller goes through {@link #checkInput}, and bytes that
 * were decoded out of the padding are never reported.
 *
 * <h2>The loop</h2>
 *
 * {@link #codes} keeps its state in locals. The bit buffer is a long, refilled by one unaligned
 * load: the bytes that fit are added and counted, the bits of the byte that only fits in part are
 * added too but not counted; they will be or-ed onto themselves by the next load. A refill leaves
 * at least 56 bits, which are enough for two literals and a length (22 + 20), or three literals; a
 * distance (28) may need another refill. Shift counts are not masked: Java takes them modulo 64,
 * and table entries (see {@link CodeTables}) have the number of bits in their low six. For the same
 * reason only the low six bits of {@code count} mean anything inside the loop. The entry of the
 * next symbol is looked up before the bytes of a match are copied, so the two can overlap. Copies
 * go by eight bytes and write more than asked; that is what the output slack is for.
 *
 * <h2>Between calls</h2>
 *
 * Whole bytes go back to the input, so that fewer than 8 bits are held: {@link #position} and
 * {@link #bits} are then exactly the two numbers that a checkpoint stores.
 *
 * <h2>What is refused</h2>
 *
 * What zlib refuses, nothing else: see {@link #dynamic} and {@link CodeTables}. A match may not
 * reach behind the <em>floor</em>, the place in the output array where the member's output (or the
 * window given for it) begins.
 */
@SuppressWarnings("ReferenceEquality") // which of two buffers is in use is a question of identity
public final class Inflate {
  /** Bytes of history that a match can reach. */
  public static final int WINDOW = 32768;

  /** The output array must have this many bytes behind any limit given to {@link #run}. */
  public static final int OUTPUT_SLACK = 320;

  /** A caller must be able to keep this many unread bytes when it brings new input. */
  public static final int MAX_UNREAD = 640;

  /** Three refills of at most 8 bytes an iteration, twice over. */
  private static final int CODES_INPUT = 72;

  /**
   * The longest block header: 3 + 14 + 19 * 3 bits, then 316 lengths of 7 + 7 bits; with a refill's
   * read-ahead.
   */
  private static final int HEADER_INPUT = 600;

  /**
   * Output of one call of {@link #codes}. Many short calls rather than a long one: the JVM compiles
   * a method that is called often sooner, and does not have to replace a running loop.
   */
  private static final int SLICE = 16384;

  private static final int HEADER = 0;
  private static final int CODES = 1;
  private static final int STORED = 2;
  private static final int ENDED = 3;

  private static final int MORE = 0;
  private static final int BLOCK_END = 1;
  private static final int BAD_CODE = 2;
  private static final int BAD_DISTANCE = 3;
  private static final int TOO_FAR = 4;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final byte[] LENGTH_ORDER = {
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
  };

  private final CodeTables tables = new CodeTables();
  private final int[] ownLiterals = new int[CodeTables.LITERAL_SIZE];
  private final int[] ownDistances = new int[CodeTables.DISTANCE_SIZE];
  private final int[] lengthTable = new int[1 << CodeTables.LENGTHS_BITS];
  private final byte[] lengths = new byte[320];
  private final byte[] tail = new byte[2 * MAX_UNREAD];

  private int[] literals = ownLiterals;
  private int[] distances = ownDistances;

  private byte[] in = tail;
  private boolean inTail;
  private int inPos;
  private int inEnd;
  private boolean last;
  private long base;

  private byte[] out = tail;
  private int outPos;
  private int floor;

  private long bits;
  private int count;
  private int state = ENDED;
  private boolean lastBlock;
  private int storedLeft;

  /** Forgets everything; the next input begins at compressed offset {@code position}. */
  public void reset(long position) {
    in = tail;
    inTail = false;
    inPos = 0;
    inEnd = 0;
    base = position;
    last = false;
    bits = 0;
    count = 0;
    state = ENDED;
  }

  /**
   * Gives input: the unread bytes of the array before, then new ones.
   *
   * @param from where the first unread byte is
   * @param noMore nothing comes after these
   */
  public void input(byte[] buffer, int from, int to, boolean noMore) {
    if (to - from < inEnd - inPos) {
      throw new IllegalArgumentException("the unread bytes must come first in new input");
    }
    base += inPos - (long) from;
    in = buffer;
    inTail = false;
    inPos = from;
    inEnd = to;
    last = noMore;
  }

  /**
   * Says where output goes.
   *
   * @param position where the next byte of output goes
   * @param lowest the first byte that a match may reach
   */
  public void output(byte[] buffer, int position, int lowest) {
    out = buffer;
    outPos = position;
    floor = lowest;
  }

  /** Starts with the header of a block at the next whole byte of input. */
  public void start() {
    bits = 0;
    count = 0;
    state = HEADER;
  }

  /**
   * Starts with the header of a block that begins with the high {@code n} bits of the next byte.
   */
  public void startInByte(int n) {
    start();
    if (n != 0) {
      bits = (long) (in[inPos++] & 0xff) >>> (8 - n);
      count = n;
    }
  }

  /** Drops the bits up to the next whole byte, as after a member's last block. */
  void align() {
    bits = 0;
    count = 0;
  }

  /** The next byte of input, or -1 if there is none now. Only at a whole byte. */
  int nextByte() {
    return inPos < inEnd ? in[inPos++] & 0xff : -1;
  }

  /** Whether no input is left and none will come. */
  boolean exhausted() {
    return last && inPos == inEnd;
  }

  boolean noMoreInput() {
    return last;
  }

  byte[] out() {
    return out;
  }

  void floor(int lowest) {
    floor = lowest;
  }

  /**
   * Makes room: moves the last {@link #WINDOW} bytes of output to the start of the array.
   *
   * @return by how many bytes they were moved down
   */
  public int slide() {
    return slideTo(out);
  }

  /** The same, into the start of another array, in which output goes on. */
  public int slideTo(byte[] buffer) {
    int by = Math.max(0, outPos - WINDOW);
    System.arraycopy(out, by, buffer, 0, outPos - by);
    out = buffer;
    outPos -= by;
    floor = Math.max(0, floor - by);
    return by;
  }

  /** Where the next byte of output goes. */
  public int outPosition() {
    return outPos;
  }

  /** Bytes of input not read yet. */
  public int unread() {
    return inEnd - inPos;
  }

  /** Compressed offset of the first byte of which nothing was consumed. */
  public long position() {
    return base + inPos;
  }

  /** How many of the high bits of the byte before {@link #position} are not consumed yet. */
  public int bits() {
    return count;
  }

  /**
   * Decodes until something is to be done.
   *
   * @param limit return once the output position is here or behind; the output array must go on for
   *     {@link #OUTPUT_SLACK} bytes after it
   */
  public Event run(int limit) throws InflateException {
    for (; ; ) {
      switch (state) {
        case HEADER -> {
          if (!available(HEADER_INPUT)) {
            return Event.INPUT;
          }
          header();
        }
        case CODES -> {
          if (outPos >= limit) {
            return Event.OUTPUT;
          }
          if (!available(CODES_INPUT)) {
            return Event.INPUT;
          }
          int result = codes(Math.min(limit, outPos + SLICE));
          checkInput();
          if (result == BLOCK_END) {
            return endOfBlock();
          }
          if (result != MORE) {
            throw refused(result);
          }
        }
        case STORED -> {
          copyStored(limit);
          if (storedLeft == 0) {
            return endOfBlock();
          }
          if (outPos >= limit) {
            return Event.OUTPUT;
          }
          if (last) {
            throw cut();
          }
          return Event.INPUT;
        }
        default -> {
          return Event.END;
        }
      }
    }
  }

  private Event endOfBlock() {
    state = lastBlock ? ENDED : HEADER;
    return lastBlock ? Event.END : Event.BOUNDARY;
  }

  /** Whether {@code n} bytes can be read, if need be behind the end of input. */
  private boolean available(int n) {
    if (inEnd - inPos >= n || inTail) {
      return true;
    }
    if (!last) {
      return false;
    }
    int rest = inEnd - inPos;
    System.arraycopy(in, inPos, tail, 0, rest);
    Arrays.fill(tail, rest, tail.length, (byte) 0);
    base += inPos;
    in = tail;
    inTail = true;
    inPos = 0;
    inEnd = rest;
    return true;
  }

  private void checkInput() throws InflateException {
    if (inPos > inEnd) {
      throw cut();
    }
  }

  private InflateException cut() {
    return new InflateException("compressed data ends in the middle of a block", base + inEnd);
  }

  private InflateException error(String reason) {
    return inPos > inEnd ? cut() : new InflateException(reason, base + inPos);
  }

  private InflateException refused(int result) {
    return error(
        switch (result) {
          case BAD_CODE -> "invalid literal/length code";
          case BAD_DISTANCE -> "invalid distance code";
          default -> "distance reaches back before the start of the data";
        });
  }

  private void refill() {
    bits |= (long) LONG.get(in, inPos) << count;
    inPos += (63 - count) >>> 3;
    count |= 56;
  }

  private int take(int n) {
    if (count < n) {
      refill();
    }
    int value = (int) bits & ((1 << n) - 1);
    bits >>>= n;
    count -= n;
    return value;
  }

  /** Gives whole bytes back to the input. */
  private void giveBack() {
    inPos -= count >>> 3;
    count &= 7;
    bits &= (1L << count) - 1;
  }

  private void header() throws InflateException {
    lastBlock = take(1) != 0;
    switch (take(2)) {
      case 0 -> {
        giveBack();
        align();
        int word = (int) (long) LONG.get(in, inPos);
        inPos += 4;
        storedLeft = word & 0xffff;
        if (storedLeft != (~word >>> 16)) {
          throw error("invalid stored block lengths");
        }
        state = STORED;
      }
      case 1 -> {
        literals = CodeTables.fixedLiterals();
        distances = CodeTables.fixedDistances();
        giveBack();
        state = CODES;
      }
      case 2 -> {
        dynamic();
        giveBack();
        state = CODES;
      }
      default -> throw error("invalid block type");
    }
    checkInput();
  }

  /** RFC 1951, 3.2.7, with the checks that zlib makes. */
  private void dynamic() throws InflateException {
    int literalCodes = take(5) + 257;
    int distanceCodes = take(5) + 1;
    int lengthCodes = take(4) + 4;
    if (literalCodes > 286 || distanceCodes > 30) {
      throw error("too many length or distance symbols");
    }
    Arrays.fill(lengths, 0, 19, (byte) 0);
    for (int i = 0; i < lengthCodes; i++) {
      lengths[LENGTH_ORDER[i]] = (byte) take(3);
    }
    if (!tables.lengths(lengths, lengthTable)) {
      throw error("invalid code lengths set");
    }
    readLengths(literalCodes + distanceCodes);
    if (lengths[256] == 0) {
      throw error("invalid code: no end of block");
    }
    literals = ownLiterals;
    distances = ownDistances;
    if (!tables.literals(lengths, literalCodes, literals)) {
      throw error("invalid literal/lengths set");
    }
    if (!tables.distances(lengths, literalCodes, distanceCodes, distances)) {
      throw error("invalid distances set");
    }
  }

  private void readLengths(int total) throws InflateException {
    for (int i = 0; i < total; ) {
      if (count < 14) {
        refill();
      }
      int entry = lengthTable[(int) bits & ((1 << CodeTables.LENGTHS_BITS) - 1)];
      int used = entry & 63;
      bits >>>= used;
      count -= used;
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
            throw error("invalid bit length repeat");
          }
          value = lengths[i - 1];
          repeat = 3 + take(2);
        }
        case 17 -> repeat = 3 + take(3);
        default -> repeat = 11 + take(7);
      }
      if (i + repeat > total) {
        throw error("invalid bit length repeat");
      }
      Arrays.fill(lengths, i, i + repeat, value);
      i += repeat;
    }
  }

  private void copyStored(int limit) {
    int n = Math.min(storedLeft, Math.min(inEnd - inPos, limit - outPos));
    if (n > 0) {
      System.arraycopy(in, inPos, out, outPos, n);
      inPos += n;
      outPos += n;
      storedLeft -= n;
    }
  }

  /** The loop described above: symbols until a limit, the block's end, or an error. */
  private int codes(int limit) {
    byte[] in = this.in;
    byte[] out = this.out;
    int[] literals = this.literals;
    int[] distances = this.distances;
    int floor = this.floor;
    int ip = inPos;
    int op = outPos;
    // In the tail, eight bytes past its end are proof enough that the stream is cut.
    int stop = inTail ? inEnd + 8 : inEnd - 64;
    int result = MORE;

    long bits = this.bits | ((long) LONG.get(in, ip) << this.count);
    int count = this.count | 56;
    ip += 7 - (this.count >>> 3);
    int e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];

    while (ip <= stop && op < limit) {
      long seen = bits;
      bits >>>= e;
      count -= e;
      if ((e & CodeTables.LITERAL) != 0) {
        int literal = e >>> 16;
        e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
        seen = bits;
        bits >>>= e;
        count -= e;
        out[op++] = (byte) literal;
        if ((e & CodeTables.LITERAL) != 0) {
          literal = e >>> 16;
          e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
          seen = bits;
          bits >>>= e;
          count -= e;
          out[op++] = (byte) literal;
          if ((e & CodeTables.LITERAL) != 0) {
            out[op++] = (byte) (e >>> 16);
            bits |= (long) LONG.get(in, ip) << count;
            ip += 7 - ((count >>> 3) & 7);
            count |= 56;
            e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
            continue;
          }
        }
      }
      if ((e & CodeTables.EXCEPTIONAL) != 0) {
        if ((e & (CodeTables.END | CodeTables.BAD)) != 0) {
          result = (e & CodeTables.END) != 0 ? BLOCK_END : BAD_CODE;
          break;
        }
        e = literals[(e >>> 16) + ((int) bits & ((1 << (e >>> 8)) - 1))];
        seen = bits;
        bits >>>= e;
        count -= e;
        if ((e & CodeTables.LITERAL) != 0) {
          out[op++] = (byte) (e >>> 16);
          bits |= (long) LONG.get(in, ip) << count;
          ip += 7 - ((count >>> 3) & 7);
          count |= 56;
          e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
          continue;
        }
        if ((e & CodeTables.EXCEPTIONAL) != 0) {
          result = (e & CodeTables.END) != 0 ? BLOCK_END : BAD_CODE;
          break;
        }
      }
      int length = (e >>> 16) + (((int) seen & ((1 << e) - 1)) >>> (e >>> 8));

      if ((count & 63) < 28) {
        bits |= (long) LONG.get(in, ip) << count;
        ip += 7 - ((count >>> 3) & 7);
        count |= 56;
      }
      e = distances[(int) bits & ((1 << CodeTables.DISTANCE_BITS) - 1)];
      seen = bits;
      bits >>>= e;
      count -= e;
      if ((e & CodeTables.EXCEPTIONAL) != 0) {
        if ((e & CodeTables.BAD) != 0) {
          result = BAD_DISTANCE;
          break;
        }
        e = distances[(e >>> 16) + ((int) bits & ((1 << (e >>> 8)) - 1))];
        seen = bits;
        bits >>>= e;
        count -= e;
        if ((e & CodeTables.EXCEPTIONAL) != 0) {
          result = BAD_DISTANCE;
          break;
        }
      }
      int distance = (e >>> 16) + (((int) seen & ((1 << e) - 1)) >>> (e >>> 8));
      int from = op - distance;
      if (from < floor) {
        result = TOO_FAR;
        break;
      }

      bits |= (long) LONG.get(in, ip) << count;
      ip += 7 - ((count >>> 3) & 7);
      count |= 56;
      e = literals[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];

      int end = op + length;
      if (distance >= 8) {
        LONG.set(out, op, (long) LONG.get(out, from));
        LONG.set(out, op + 8, (long) LONG.get(out, from + 8));
        LONG.set(out, op + 16, (long) LONG.get(out, from + 16));
        LONG.set(out, op + 24, (long) LONG.get(out, from + 24));
        while (length > 32) {
          op += 32;
          from += 32;
          length -= 32;
          LONG.set(out, op, (long) LONG.get(out, from));
          LONG.set(out, op + 8, (long) LONG.get(out, from + 8));
          LONG.set(out, op + 16, (long) LONG.get(out, from + 16));
          LONG.set(out, op + 24, (long) LONG.get(out, from + 24));
        }
      } else if (distance == 1) {
        long eight = (out[from] & 0xff) * 0x0101010101010101L;
        do {
          LONG.set(out, op, eight);
          LONG.set(out, op + 8, eight);
          LONG.set(out, op + 16, eight);
          LONG.set(out, op + 24, eight);
          op += 32;
        } while (op < end);
      } else {
        // Of eight bytes read, the first `distance` are final.
        do {
          LONG.set(out, op, (long) LONG.get(out, from));
          op += distance;
          from += distance;
        } while (op < end);
      }
      op = end;
    }

    this.count = count & 63;
    this.bits = bits;
    inPos = ip;
    outPos = op;
    giveBack();
    return result;
  }
}
