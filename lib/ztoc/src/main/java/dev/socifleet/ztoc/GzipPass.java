package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;

/**
 * A gzip layer: spans begin at {@link Checkpoints}.
 *
 * <p>The decoder leaves up to {@link Inflate#MAX_UNREAD} bytes of a chunk unread; with a byte that
 * is consumed in part, that is what must be given again. A byte that is consumed in full can be
 * hashed: every boundary before it is known.
 */
final class GzipPass implements LayerPass {
  private static final int LIMIT = Inflate.WINDOW + 256 * 1024;

  /** Longer names and comments in a gzip header are refused by Go, whose tar pass must succeed. */
  private static final int MAX_HEADER_TEXT = 512;

  /**
   * Boundaries without any output before them, each a checkpoint of 32 KiB for ten bits of the
   * layer. Encoders leave a few; a layer of nothing else could fill the memory.
   */
  private static final int MOST_EMPTY = 256;

  private final TarWalker tar;
  private final Checkpoints checkpoints;
  private final SpanCuts cuts;
  private final ZtocBudget budget;

  private final GunzipDecoder gunzip = new GunzipDecoder();
  private final byte[] out = new byte[LIMIT + Inflate.OUTPUT_SLACK];

  /** Uncompressed offset of {@code out[0]}, and where in it the tar walk stands. */
  private long outBase = -Inflate.WINDOW;

  private int walked = Inflate.WINDOW;

  /** 1 if the first byte given again is consumed in part, else 0. */
  private int partial;

  GzipPass(TarWalker tar, Checkpoints checkpoints, SpanCuts cuts, ZtocBudget budget) {
    this.tar = tar;
    this.checkpoints = checkpoints;
    this.cuts = cuts;
    this.budget = budget;
    gunzip.start();
    gunzip.output(out, Inflate.WINDOW, Inflate.WINDOW);
  }

  @Override
  public int chunk(byte[] buffer, int from, int end, long base, boolean last)
      throws Refusal, InflateException, TarException {
    gunzip.input(buffer, from + partial, end, last);
    for (; ; ) {
      switch (gunzip.run(LIMIT)) {
        case BOUNDARY -> boundary(base);
        case OUTPUT -> {
          walk();
          outBase += gunzip.slide();
          walked = gunzip.outPosition();
          budget.check(gunzip.position());
        }
        case INPUT -> {
          partial = gunzip.bits() != 0 ? 1 : 0;
          return end - gunzip.unread() - partial;
        }
        case END -> {
          walk();
          return end;
        }
      }
    }
  }

  private void walk() throws TarException {
    tar.accept(out, walked, gunzip.outPosition());
    walked = gunzip.outPosition();
  }

  private void boundary(long base) throws Refusal, TarException {
    checkHeader();
    long total = outBase + gunzip.outPosition();
    if (total == 0 && checkpoints.count() == MOST_EMPTY) {
      throw new Refusal(
          "gzip: more than "
              + MOST_EMPTY
              + " empty blocks before the first byte at compressed offset "
              + gunzip.position());
    }
    if (checkpoints.wanted(total)) {
      checkpoints.add(gunzip.position(), gunzip.bits(), total, out, gunzip.outPosition());
      cuts.add((int) (gunzip.position() - base), gunzip.bits() != 0);
      budget.add(Checkpoints.SIZE);
      budget.check(gunzip.position());
    }
  }

  /**
   * zlib reads headers that Go doesn't. The existing tool uses both, Go until it has seen the
   * archive's end: such a header passes behind that only.
   */
  private void checkHeader() throws Refusal, TarException {
    if (gunzip.zlib() || gunzip.longestHeaderText() > MAX_HEADER_TEXT) {
      walk();
      if (!tar.ended()) {
        throw new Refusal(
            (gunzip.zlib()
                    ? "gzip: invalid header: a zlib stream"
                    : "gzip: invalid header: name or comment longer than "
                        + (MAX_HEADER_TEXT - 1)
                        + " bytes,")
                + " before the archive's end at compressed offset "
                + gunzip.position());
      }
    }
  }
}
