package dev.socifleet.ztoc.inflate;

import java.lang.invoke.VarHandle;

/**
 * Decodes raw deflate blocks (RFC 1951). Not thread-safe; reusable.
 *
 * <h2>Why our own</h2>
 *
 * {@code java.util.zip.Inflater} neither stops at block boundaries nor starts inside a byte, and
 * both are what a checkpoint is. Being our own it can also be faster: what costs zlib its time is
 * not arithmetic but asking, for each symbol, whether there is input and room left. What hardly
 * compresses gains nothing by it: there each literal waits for the table entry of the one before.
 *
 * <h2>No slow path</h2>
 *
 * The usual fast inflater has two loops: one that runs while both buffers have room to spare, and a
 * careful one for the ends. Here there is only the first. The caller gives room to spare on the
 * output side ({@link #OUTPUT_SLACK} bytes behind any limit it names: a limit may be passed by less
 * than that, never by a byte more). The input has zeros behind its end, see {@link BitInput}: each
 * return to the caller goes through {@link BitInput#check}, and bytes that were decoded out of the
 * padding are never reported.
 *
 * <h2>The loop</h2>
 *
 * {@link #codes} keeps its state, that of the input included, in locals. What it waits for is the
 * chain from one symbol to the next: cut bits out, look up, shift. So nothing else may be in it:
 *
 * <ul>
 *   <li>The next symbol is looked up before the refill, which then goes on beside. A refill leaves
 *       64 bits that are right, 56 of them counted; after three literals (33) or two and a length
 *       (42) there are enough for the next look-up (11 or 9), and before a distance (9 + 13 or, by
 *       a subtable, 28, and 11 for the look-up after it) the count is asked.
 *   <li>It is also looked up before the bytes of a match are copied, so the two can overlap.
 *   <li>Shift counts are not masked: Java takes them modulo 64, and table entries (see {@link
 *       CodeTables}) have the number of bits in their low six. For the same reason only the low six
 *       bits of {@code count} mean anything inside the loop.
 *   <li>Both codes are in one array, and most literals are written as eight bytes: each array and
 *       each kind of access has a bound of its own, which would take a register.
 *   <li>Copies go by eight bytes and write more than asked; that is what the output slack is for.
 * </ul>
 *
 * There are more values alive than registers. HotSpot's compiler puts the others into vector
 * registers unless {@code -XX:-UseFPUForSpilling} is given, as the launcher does, which makes this
 * loop a tenth faster.
 *
 * <h2>Between calls</h2>
 *
 * Whole bytes go back to the input, so that fewer than 8 bits are held: {@link #position} and
 * {@link #bits} are then exactly the two numbers that a checkpoint stores.
 *
 * <h2>What is refused</h2>
 *
 * What zlib refuses, nothing else: see {@link BlockCodes} and {@link CodeTables}. A match may not
 * reach behind the <em>floor</em>, the place in the output array where the member's output (or the
 * window given for it) begins.
 */
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

  /** Bits of a distance without a subtable (code and extra bits) and of the next look-up. */
  private static final int DISTANCE = CodeTables.DISTANCE_BITS + 13 + CodeTables.LITERAL_BITS;

  /** The same of a distance with one, once the bits that led there are dropped. */
  private static final int REST_OF_DISTANCE =
      15 - CodeTables.DISTANCE_BITS + 13 + CodeTables.LITERAL_BITS;

  private static final int HEADER = 0;
  private static final int CODES = 1;
  private static final int STORED = 2;
  private static final int ENDED = 3;

  private static final int MORE = 0;
  private static final int BLOCK_END = 1;
  private static final int BAD_CODE = 2;
  private static final int BAD_DISTANCE = 3;
  private static final int TOO_FAR = 4;

  private static final VarHandle LONG = BitInput.LONG;
  private static final byte[] NONE = {};

  private final BitInput input = new BitInput();
  private final BlockCodes tables = new BlockCodes();

  private byte[] out = NONE;
  private int outPos;
  private int floor;

  private int state = ENDED;
  private boolean lastBlock;
  private int storedLeft;

  /** Forgets everything; the next input begins at compressed offset {@code position}. */
  public void reset(long position) {
    input.reset(position);
    state = ENDED;
  }

  /**
   * Gives input: the unread bytes of the array before, then new ones.
   *
   * @param from where the first unread byte is
   * @param noMore nothing comes after these
   */
  public void input(byte[] buffer, int from, int to, boolean noMore) {
    input.give(buffer, from, to, noMore);
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
    startInByte(0);
  }

  /**
   * Starts with the header of a block that begins with the high {@code n} bits of the next byte.
   */
  public void startInByte(int n) {
    input.startInByte(n);
    state = HEADER;
  }

  /** Drops the bits up to the next whole byte, as after a member's last block. */
  void align() {
    input.align();
  }

  /** The next byte of input, or -1 if there is none now. Only at a whole byte. */
  int nextByte() {
    return input.nextByte();
  }

  /** Whether no input is left and none will come. */
  boolean exhausted() {
    return input.noMore() && input.unread() == 0;
  }

  boolean noMoreInput() {
    return input.noMore();
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
    return input.unread();
  }

  /** Compressed offset of the first byte of which nothing was consumed. */
  public long position() {
    return input.position();
  }

  /** How many of the high bits of the byte before {@link #position} are not consumed yet. */
  public int bits() {
    return input.count;
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
          if (!input.available(HEADER_INPUT)) {
            return Event.INPUT;
          }
          header();
        }
        case CODES -> {
          if (outPos >= limit) {
            return Event.OUTPUT;
          }
          if (!input.available(CODES_INPUT)) {
            return Event.INPUT;
          }
          int result = codes(Math.min(limit, outPos + SLICE));
          input.check();
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
          if (input.noMore()) {
            throw input.cut();
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

  private InflateException refused(int result) {
    return input.error(
        switch (result) {
          case BAD_CODE -> "invalid literal/length code";
          case BAD_DISTANCE -> "invalid distance code";
          default -> "distance reaches back before the start of the data";
        });
  }

  private void header() throws InflateException {
    lastBlock = input.take(1) != 0;
    switch (input.take(2)) {
      case 0 -> {
        int word = input.takeWord();
        storedLeft = word & 0xffff;
        if (storedLeft != (~word >>> 16)) {
          throw input.error("invalid stored block lengths");
        }
        state = STORED;
      }
      case 1 -> {
        tables.useFixed();
        input.giveBack();
        state = CODES;
      }
      case 2 -> {
        tables.read(input);
        input.giveBack();
        state = CODES;
      }
      default -> throw input.error("invalid block type");
    }
    input.check();
  }

  private void copyStored(int limit) {
    int n = Math.min(storedLeft, Math.min(input.unread(), limit - outPos));
    if (n > 0) {
      System.arraycopy(input.bytes, input.at, out, outPos, n);
      input.at += n;
      outPos += n;
      storedLeft -= n;
    }
  }

  /** The loop described above: symbols until a limit, the block's end, or an error. */
  private int codes(int limit) {
    BitInput input = this.input;
    byte[] in = input.bytes;
    byte[] out = this.out;
    int[] codes = tables.codes();
    int floor = this.floor;
    int ip = input.at;
    int op = outPos;
    // In the tail, eight bytes past its end are proof enough that the stream is cut.
    int stop = input.inTail ? input.end + 8 : input.end - 64;
    int result = MORE;

    long bits = input.bits | ((long) LONG.get(in, ip) << input.count);
    int count = input.count | 56;
    ip += 7 - (input.count >>> 3);
    int e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];

    while (ip <= stop && op < limit) {
      long seen = bits;
      bits >>>= e;
      count -= e;
      if ((e & CodeTables.LITERAL) != 0) {
        int literal = e >>> 16;
        e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
        seen = bits;
        bits >>>= e;
        count -= e;
        LONG.set(out, op++, (long) literal);
        if ((e & CodeTables.LITERAL) != 0) {
          literal = e >>> 16;
          e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
          seen = bits;
          bits >>>= e;
          count -= e;
          LONG.set(out, op++, (long) literal);
          if ((e & CodeTables.LITERAL) != 0) {
            out[op++] = (byte) (e >>> 16);
            e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
            bits |= (long) LONG.get(in, ip) << count;
            ip += 7 - ((count >>> 3) & 7);
            count |= 56;
            continue;
          }
        }
      }
      if ((e & CodeTables.EXCEPTIONAL) != 0) {
        if ((e & (CodeTables.END | CodeTables.BAD)) != 0) {
          result = (e & CodeTables.END) != 0 ? BLOCK_END : BAD_CODE;
          break;
        }
        e = codes[(e >>> 16) + ((int) bits & ((1 << (e >>> 8)) - 1))];
        seen = bits;
        bits >>>= e;
        count -= e;
        if ((e & CodeTables.LITERAL) != 0) {
          out[op++] = (byte) (e >>> 16);
          e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
          bits |= (long) LONG.get(in, ip) << count;
          ip += 7 - ((count >>> 3) & 7);
          count |= 56;
          continue;
        }
        if ((e & CodeTables.EXCEPTIONAL) != 0) {
          result = (e & CodeTables.END) != 0 ? BLOCK_END : BAD_CODE;
          break;
        }
      }
      int length = (e >>> 16) + (((int) seen & ~(-1 << e)) >>> (e >>> 8));

      e = codes[CodeTables.DISTANCES + ((int) bits & ((1 << CodeTables.DISTANCE_BITS) - 1))];
      if ((count & 63) < DISTANCE) {
        bits |= (long) LONG.get(in, ip) << count;
        ip += 7 - ((count >>> 3) & 7);
        count |= 56;
      }
      seen = bits;
      bits >>>= e;
      count -= e;
      if ((e & CodeTables.EXCEPTIONAL) != 0) {
        if ((e & CodeTables.BAD) != 0) {
          result = BAD_DISTANCE;
          break;
        }
        if ((count & 63) < REST_OF_DISTANCE) {
          bits |= (long) LONG.get(in, ip) << count;
          ip += 7 - ((count >>> 3) & 7);
          count |= 56;
        }
        e = codes[(e >>> 16) + ((int) bits & ((1 << (e >>> 8)) - 1))];
        seen = bits;
        bits >>>= e;
        count -= e;
        if ((e & CodeTables.EXCEPTIONAL) != 0) {
          result = BAD_DISTANCE;
          break;
        }
      }
      int distance = (e >>> 16) + (((int) seen & ~(-1 << e)) >>> (e >>> 8));
      int from = op - distance;
      if (from < floor) {
        result = TOO_FAR;
        break;
      }

      e = codes[(int) bits & ((1 << CodeTables.LITERAL_BITS) - 1)];
      bits |= (long) LONG.get(in, ip) << count;
      ip += 7 - ((count >>> 3) & 7);
      count |= 56;

      int end = op + length;
      if (distance >= 8) {
        LONG.set(out, op, (long) LONG.get(out, from));
        LONG.set(out, op + 8, (long) LONG.get(out, from + 8));
        LONG.set(out, op + 16, (long) LONG.get(out, from + 16));
        LONG.set(out, op + 24, (long) LONG.get(out, from + 24));
        while (op + 32 < end) {
          op += 32;
          from += 32;
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

    input.count = count & 63;
    input.bits = bits;
    input.at = ip;
    input.giveBack();
    outPos = op;
    return result;
  }
}
