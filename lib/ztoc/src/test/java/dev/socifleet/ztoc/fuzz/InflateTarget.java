package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Raw deflate blocks: decision, output and length are those of zlib in the JDK's Inflater, however
 * the input is cut; and from any boundary on, its bits and window are enough to go on.
 *
 * <p>Input: a seed for the cuts, 2 bytes; then the blocks.
 */
public final class InflateTarget {
  private static final int ROOM = 1 << 18;
  private static final int REFUSED = -1;

  private static final Inflater INFLATER = new Inflater(true);
  private static final byte[] THEIRS = new byte[ROOM];
  private static final byte[] OURS = new byte[ROOM + Inflate.OUTPUT_SLACK];
  private static final byte[] AGAIN = new byte[Inflate.WINDOW + ROOM + Inflate.OUTPUT_SLACK];
  private static final Inflate INFLATE = new Inflate();

  /** A boundary, and how much was output before it. */
  private record Boundary(long position, int bits, int out) {}

  private InflateTarget() {}

  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length < 2) {
      return;
    }
    byte[] blocks = Arrays.copyOfRange(data, 2, data.length);
    int seed = (data[0] & 0xff) << 8 | (data[1] & 0xff);
    int wanted = zlib(blocks);
    long wantedEnd = INFLATER.getBytesRead();
    Boundary[] boundary = new Boundary[1];
    int[] output = new int[1];
    Limits.check(() -> {
      output[0] = ours(blocks, new Random(seed), boundary);
      return data.length + (long) Math.max(output[0], 0);
    });
    int got = output[0];
    if (got == ROOM) {
      // Whether an error just behind it is seen already depends on the implementation.
      return;
    }
    if (got != wanted) {
      throw new AssertionError("output of " + got + " bytes, by zlib of " + wanted);
    }
    if (got == REFUSED) {
      return;
    }
    if (!Arrays.equals(OURS, 0, got, THEIRS, 0, got)) {
      throw new AssertionError("other output than zlib's");
    }
    if (INFLATE.position() != wantedEnd) {
      throw new AssertionError("ends at " + INFLATE.position() + ", by zlib at " + wantedEnd);
    }
    if (boundary[0] != null) {
      restart(blocks, boundary[0], got);
    }
  }

  private static int zlib(byte[] blocks) {
    INFLATER.reset();
    INFLATER.setInput(blocks);
    try {
      int n = 0;
      while (!INFLATER.finished() && n < ROOM) {
        int more = INFLATER.inflate(THEIRS, n, ROOM - n);
        if (more == 0 && !INFLATER.finished()) {
          return REFUSED;
        }
        n += more;
      }
      return n;
    } catch (DataFormatException e) {
      return REFUSED;
    }
  }

  /** Bytes of output; notes one of the boundaries. */
  private static int ours(byte[] blocks, Random cuts, Boundary[] boundary) {
    INFLATE.reset(0);
    INFLATE.output(OURS, 0, 0);
    boundary[0] = null;
    int given = 0;
    int from = 0;
    boolean started = false;
    try {
      for (; ; ) {
        given = Math.min(blocks.length, given + 1 + cuts.nextInt(1 << cuts.nextInt(13)));
        byte[] piece = Arrays.copyOfRange(blocks, from, given);
        INFLATE.input(piece, 0, piece.length, given == blocks.length);
        if (!started) {
          INFLATE.start();
          started = true;
        }
        Event event;
        do {
          int limit = INFLATE.outPosition() + 1 + cuts.nextInt(1 << cuts.nextInt(18));
          event = INFLATE.run(Math.min(ROOM, limit));
          if (event == Event.BOUNDARY && (boundary[0] == null || cuts.nextInt(3) == 0)) {
            boundary[0] = new Boundary(INFLATE.position(), INFLATE.bits(), INFLATE.outPosition());
          }
          if (INFLATE.outPosition() >= ROOM) {
            return ROOM;
          }
        } while (event == Event.OUTPUT || event == Event.BOUNDARY);
        if (event == Event.END) {
          return INFLATE.outPosition();
        }
        if (INFLATE.unread() > Inflate.MAX_UNREAD) {
          throw new AssertionError(INFLATE.unread() + " bytes left unread");
        }
        from = given - INFLATE.unread();
      }
    } catch (InflateException e) {
      if (e.offset() < 0 || e.offset() > blocks.length) {
        throw new AssertionError("offset " + e.offset() + " of " + blocks.length, e);
      }
      return REFUSED;
    }
  }

  private static void restart(byte[] blocks, Boundary boundary, int end) {
    int window = Math.min(boundary.out, Inflate.WINDOW);
    Arrays.fill(AGAIN, 0, Inflate.WINDOW - window, (byte) 0);
    System.arraycopy(OURS, boundary.out - window, AGAIN, Inflate.WINDOW - window, window);
    int start = (int) boundary.position - (boundary.bits == 0 ? 0 : 1);
    INFLATE.reset(start);
    INFLATE.input(blocks, start, blocks.length, true);
    INFLATE.output(AGAIN, Inflate.WINDOW, 0);
    INFLATE.startInByte(boundary.bits);
    try {
      Event event;
      do {
        event = INFLATE.run(Inflate.WINDOW + ROOM);
      } while (event == Event.BOUNDARY);
    } catch (InflateException e) {
      throw new AssertionError("refused from " + boundary + " on", e);
    }
    int n = INFLATE.outPosition() - Inflate.WINDOW;
    if (n != end - boundary.out
        || !Arrays.equals(AGAIN, Inflate.WINDOW, Inflate.WINDOW + n, OURS, boundary.out, end)) {
      throw new AssertionError("other output from " + boundary + " on");
    }
  }
}
