package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;

/** A layer that is not compressed: spans of equal size. */
final class PlainPass implements LayerPass {
  private final long spanSize;
  private final TarWalker tar;
  private final SpanCuts cuts;
  private final ZtocBudget budget;
  private long nextSpan;

  PlainPass(long spanSize, TarWalker tar, SpanCuts cuts, ZtocBudget budget) {
    this.spanSize = spanSize;
    this.tar = tar;
    this.cuts = cuts;
    this.budget = budget;
  }

  @Override
  public int chunk(byte[] buffer, int from, int end, long base, boolean last)
      throws Refusal, TarException {
    while (nextSpan < base + end) {
      cuts.add((int) (nextSpan - base), false);
      budget.check(base + end);
      nextSpan += Math.min(spanSize, Long.MAX_VALUE - nextSpan);
    }
    tar.accept(buffer, from, end);
    return end;
  }
}
