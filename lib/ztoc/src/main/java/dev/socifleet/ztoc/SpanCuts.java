package dev.socifleet.ztoc;

import java.util.Arrays;

/**
 * Where spans begin in the chunk that is being read. Not thread-safe.
 *
 * <p>A cut at an index of the buffer: the span before ends there, the next one starts there, or at
 * the byte before if both have bits of it ({@link #shared}).
 */
final class SpanCuts {
  /** Bytes of a span's digest in the zTOC, with its place in the vector. */
  private static final int DIGEST_BYTES = 80;

  private final ZtocBudget budget;
  private int[] cuts = new int[8];
  private int count;

  SpanCuts(ZtocBudget budget) {
    this.budget = budget;
  }

  void add(int index, boolean shared) {
    if (count == cuts.length) {
      cuts = Arrays.copyOf(cuts, 2 * count);
    }
    cuts[count++] = 2 * index + (shared ? 1 : 0);
    budget.add(DIGEST_BYTES);
  }

  /** All since the last call. */
  int[] take() {
    int[] taken = Arrays.copyOf(cuts, count);
    count = 0;
    return taken;
  }

  static int index(int cut) {
    return cut >>> 1;
  }

  static boolean shared(int cut) {
    return (cut & 1) != 0;
  }
}
