package dev.socifleet.ztoc.streams;

import java.util.Arrays;
import java.util.Random;

/** Damages bytes: bits flipped, bytes set, pieces cut, doubled, moved, the end cut. */
public final class Mutations {
  private static final int[] LIKELY = {0, 1, 2, 3, 4, 8, 0x1f, 0x8b, 0x7f, 0x80, 0xff, '0', '7'};

  private Mutations() {}

  /** A copy with one to four damages, most of them near the start or the end. */
  public static byte[] of(byte[] bytes, Random random) {
    byte[] mutant = bytes.clone();
    for (int n = 1 + random.nextInt(4); n > 0 && mutant.length > 0; n--) {
      int at = place(mutant.length, random);
      int length = Math.min(1 + random.nextInt(1 << random.nextInt(8)), mutant.length - at);
      mutant =
          switch (random.nextInt(8)) {
            case 0, 1 -> {
              mutant[at] ^= (byte) (1 << random.nextInt(8));
              yield mutant;
            }
            case 2 -> {
              mutant[at] = (byte) random.nextInt(256);
              yield mutant;
            }
            case 3 -> {
              mutant[at] = (byte) LIKELY[random.nextInt(LIKELY.length)];
              yield mutant;
            }
            case 4 -> joined(mutant, at, mutant, at + length);
            case 5 -> joined(mutant, at + length, mutant, at);
            case 6 -> Arrays.copyOf(mutant, at);
            default -> {
              int from = place(mutant.length - length + 1, random);
              System.arraycopy(
                  bytes,
                  Math.min(from, bytes.length - 1),
                  mutant,
                  at,
                  Math.min(length, bytes.length - Math.min(from, bytes.length - 1)));
              yield mutant;
            }
          };
    }
    return mutant;
  }

  private static int place(int length, Random random) {
    int reach = random.nextInt(3) == 0 ? length : Math.min(length, 60);
    int at = random.nextInt(reach);
    return random.nextInt(3) == 0 ? length - 1 - at : at;
  }

  /** {@code a[0, end)} and {@code b} from an index on. */
  private static byte[] joined(byte[] a, int end, byte[] b, int from) {
    byte[] joined = Arrays.copyOf(a, end + b.length - from);
    System.arraycopy(b, from, joined, end, b.length - from);
    return joined;
  }
}
