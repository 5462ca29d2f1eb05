package dev.socifleet.ztoc.streams;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/**
 * Bytes to compress, the same each time. All begin with 1024 zero bytes: to a tar reader that is an
 * empty archive, whatever follows.
 */
public final class Contents {
  public static final int ZEROS = 1024;

  private static final int FAR = 32768;

  private Contents() {}

  /** Words, of which few are frequent: what deflate does best. */
  public static byte[] text(long seed, int size) {
    Random random = new Random(seed);
    byte[][] words = new byte[500][];
    for (int i = 0; i < words.length; i++) {
      words[i] = word(random).getBytes(StandardCharsets.US_ASCII);
    }
    byte[] content = new byte[size];
    for (int at = ZEROS; at < size; ) {
      byte[] word = words[(int) (words.length * Math.pow(random.nextDouble(), 4))];
      int n = Math.min(word.length, size - at);
      System.arraycopy(word, 0, content, at, n);
      at += n;
    }
    return content;
  }

  private static String word(Random random) {
    StringBuilder word = new StringBuilder();
    for (int n = 1 + random.nextInt(9); n > 0; n--) {
      word.append((char) ('a' + random.nextInt(26)));
    }
    return word.append(random.nextInt(8) == 0 ? '\n' : ' ').toString();
  }

  /** Long runs and short ones: as much output for as little input as deflate allows. */
  public static byte[] runs(long seed, int size) {
    Random random = new Random(seed);
    byte[] content = new byte[size];
    for (int at = ZEROS; at < size; ) {
      int n = Math.min(1 + random.nextInt(random.nextInt(4) == 0 ? 300000 : 40), size - at);
      byte value = (byte) random.nextInt(256);
      for (int end = at + n; at < end; at++) {
        content[at] = value;
      }
    }
    return content;
  }

  /** Bytes that can't be compressed, so that stored blocks are used. */
  public static byte[] noise(long seed, int size) {
    byte[] content = new byte[size];
    new Random(seed).nextBytes(content);
    for (int i = 0; i < Math.min(ZEROS, size); i++) {
      content[i] = 0;
    }
    return content;
  }

  /** Noise that repeats as far back as a match can reach. */
  public static byte[] far(long seed, int size) {
    byte[] content = noise(seed, size);
    for (int at = ZEROS + FAR; at < size; at++) {
      content[at] = at % 1000 == 0 ? content[at] : content[at - FAR];
    }
    return content;
  }

  /** Pieces of all the others. */
  public static byte[] mixed(long seed, int size) {
    Random random = new Random(seed);
    byte[] content = new byte[size];
    for (int at = ZEROS; at < size; ) {
      int n = Math.min(1 + random.nextInt(60000), size - at);
      byte[] piece =
          switch (random.nextInt(4)) {
            case 0 -> noise(random.nextLong(), ZEROS + n / 8);
            case 1 -> runs(random.nextLong(), ZEROS + n);
            case 2 -> far(random.nextLong(), ZEROS + n);
            default -> text(random.nextLong(), ZEROS + n);
          };
      n = Math.min(n, piece.length - ZEROS);
      System.arraycopy(piece, ZEROS, content, at, n);
      at += Math.max(n, 1);
    }
    return content;
  }
}
