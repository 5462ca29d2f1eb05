package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Inflate;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The boundaries chosen while a gzip layer is read, and the bytes that a zTOC keeps of them. Not
 * thread-safe.
 *
 * <pre>
 *  0      4            12
 *  +------+------------+ +--------+--------+------+----------------+
 *  | n    | span size  | | in     | out    | bits | window         |  n times
 *  | 4    | 8          | | 8      | 8      | 1    | 32768          |
 *  +------+------------+ +--------+--------+------+----------------+
 *  in      compressed offset of the first byte that belongs to it alone
 *  bits    how many high bits of the byte before it belong to it too
 *  out     uncompressed offset
 *  window  the output before it, zeros in front if there was less
 * </pre>
 *
 * Little endian, no padding. In the first version of the format, checkpoint 0 is left out: it is
 * (10, 0, 0) with a window of zeros.
 */
final class Checkpoints {
  static final int HEAD = 12;
  static final int IN = 0;
  static final int OUT = 8;
  static final int BITS = 16;
  static final int WINDOW = 17;
  static final int SIZE = WINDOW + Inflate.WINDOW;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Checkpoint(long in, long out, int bits, byte[] window) {}

  private final long spanSize;
  private final List<Checkpoint> all = new ArrayList<>();
  private long last;

  Checkpoints(long spanSize) {
    this.spanSize = spanSize;
  }

  /** Whether a boundary after this much output becomes a checkpoint. */
  boolean wanted(long out) {
    return out == 0 || out - last > spanSize;
  }

  /**
   * @param output array with the 32 KiB of output that end at {@code end}
   */
  void add(long in, int bits, long out, byte[] output, int end) {
    byte[] window = new byte[Inflate.WINDOW];
    System.arraycopy(output, end - Inflate.WINDOW, window, 0, Inflate.WINDOW);
    all.add(new Checkpoint(in, out, bits, window));
    last = out;
  }

  int count() {
    return all.size();
  }

  int bytes() {
    return Math.toIntExact(HEAD + (long) SIZE * all.size());
  }

  void write(ByteBuffer to) {
    to.order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(all.size()).putLong(spanSize);
    for (Checkpoint checkpoint : all) {
      to.putLong(checkpoint.in).putLong(checkpoint.out);
      to.put((byte) checkpoint.bits).put(checkpoint.window);
    }
  }
}
