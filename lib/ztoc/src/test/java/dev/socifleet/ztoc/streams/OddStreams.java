package dev.socifleet.ztoc.streams;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Sound streams of blocks that encoders rarely or never write. */
public final class OddStreams {
  private static final int[] NO_DISTANCE = {0};
  private static final byte[] NONE = {};

  private OddStreams() {}

  public static List<Stream> all() {
    List<Stream> all = new ArrayList<>();
    emptyOnes(all);
    headers(all);
    phases(all);
    trees(all);
    matches(all);
    for (int seed = 0; seed < 48; seed++) {
      all.add(new Stream("odd-random-" + seed, random(seed, 60000)));
    }
    all.add(new Stream("odd-random-large", random(1000, 9_000_000)));
    return all;
  }

  /** A member without output, its one block of each kind. */
  private static BlockWriter empty(BlockWriter to, int kind) {
    to.header();
    switch (kind) {
      case 0 -> to.stored(true, NONE, 0, 0);
      case 1 -> to.fixed(true).end();
      default -> to.dynamic(true, lengths(257, 256, 1), NO_DISTANCE, true).end();
    }
    return to.trailer();
  }

  private static BlockWriter full(BlockWriter to, int n) {
    to.header();
    for (int block = 0; block < n; block++) {
      to.fixed(block == n - 1);
      for (int i = 0; i < 3000; i++) {
        to.literal((i * 7 + block) % 256);
      }
      to.end();
    }
    return to.trailer();
  }

  private static void emptyOnes(List<Stream> all) {
    for (int kind = 0; kind < 3; kind++) {
      all.add(new Stream("odd-empty-" + kind, empty(new BlockWriter(), kind).bytes()));
      BlockWriter middle = new BlockWriter();
      full(middle, 2);
      empty(middle, kind);
      full(middle, 3);
      all.add(new Stream("odd-empty-between-" + kind, middle.bytes()));
      BlockWriter around = new BlockWriter();
      empty(around, kind);
      full(around, 3);
      empty(around, kind);
      all.add(new Stream("odd-empty-around-" + kind, around.bytes()));
      BlockWriter blocks = new BlockWriter().header();
      emptyBlock(blocks, kind);
      emptyBlock(blocks, kind);
      blocks.fixed(false);
      for (int i = 0; i < 3000; i++) {
        blocks.literal(i % 251);
      }
      blocks.end();
      emptyBlock(blocks, kind);
      blocks.fixed(false).match(258, 251).end();
      emptyBlock(blocks, kind);
      blocks.stored(true, NONE, 0, 0).trailer();
      all.add(new Stream("odd-empty-blocks-" + kind, blocks.bytes()));
    }
    BlockWriter many = new BlockWriter();
    for (int i = 0; i < 50; i++) {
      empty(many, i % 3);
    }
    all.add(new Stream("odd-only-empty-members", many.bytes()));
  }

  private static void emptyBlock(BlockWriter to, int kind) {
    switch (kind) {
      case 0 -> to.stored(false, NONE, 0, 0);
      case 1 -> to.fixed(false).end();
      default -> to.dynamic(false, lengths(257, 256, 1), NO_DISTANCE, false).end();
    }
  }

  private static void headers(List<Stream> all) {
    for (int flags = 0; flags < 32; flags += 2) {
      BlockWriter writer = new BlockWriter();
      for (int size : new int[] {0, 1, 300}) {
        writer.header(flags | (size == 300 ? 1 : 0), size, size, size);
        writer.fixed(false);
        for (int i = 0; i < 1500; i++) {
          writer.literal((i + size) % 256);
        }
        writer.end().stored(true, NONE, 0, 0).trailer();
      }
      all.add(new Stream("odd-header-" + flags, writer.bytes()));
    }
    BlockWriter longest = new BlockWriter().header(4 + 8 + 16 + 2, 65535, 70000, 70000);
    longest.fixed(true).literal(1).end().trailer();
    all.add(new Stream("odd-header-longest", longest.bytes()));
  }

  /** Boundaries at every bit of a byte, before blocks of each kind. */
  private static void phases(List<Stream> all) {
    for (int phase = 0; phase < 8; phase++) {
      for (int kind = 0; kind < 3; kind++) {
        BlockWriter writer = new BlockWriter().header();
        for (int round = 0; round < 12; round++) {
          writer.fixed(false);
          for (int i = 0; i < 1100; i++) {
            writer.literal(i % 100);
          }
          // A literal from 144 on has 9 bits, the end of block 7: each moves the end by one.
          while ((writer.phase() + 7) % 8 != phase) {
            writer.literal(200);
          }
          writer.end();
          if (kind == 0) {
            writer.stored(false, new byte[500], 0, 500);
          } else if (kind == 1) {
            writer.dynamic(false, uniform(), lengths(30, 0, 1, 1, 1), true);
            writer.literal(5).match(258, 2).end();
          } else {
            writer.fixed(false).match(258, 1).end();
          }
        }
        writer.fixed(true).end().trailer();
        all.add(new Stream("odd-phase-" + phase + "-" + kind, writer.bytes()));
      }
    }
  }

  private static void trees(List<Stream> all) {
    BlockWriter one = new BlockWriter().header();
    one.dynamic(false, lengths(257, 256, 1), NO_DISTANCE, false).end();
    one.dynamic(false, lengths(257, 65, 1, 256, 1), NO_DISTANCE, true);
    for (int i = 0; i < 5000; i++) {
      one.literal(65);
    }
    one.end().dynamic(true, lengths(286, 65, 2, 256, 2, 285, 1), new int[] {1}, true);
    for (int i = 0; i < 5000; i++) {
      one.match(258, 1);
    }
    all.add(new Stream("odd-minimal-trees", one.end().trailer().bytes()));

    // As long as codes get: 1, 2, 3, ... 14, 15, 15 bits.
    int[] skewed = new int[286];
    for (int i = 0; i < 14; i++) {
      skewed[i] = i + 1;
    }
    skewed[256] = 15;
    skewed[285] = 15;
    int[] far = new int[30];
    for (int i = 0; i < 14; i++) {
      far[i] = i + 1;
    }
    far[28] = 15;
    far[29] = 15;
    BlockWriter longest = new BlockWriter().header();
    for (int block = 0; block < 6; block++) {
      longest.dynamic(block == 5, skewed, far, block % 2 == 0);
      for (int i = 0; i < 12000; i++) {
        longest.literal(i % 14);
        if (i % 100 == 99 && longest.outputLength() > 32768) {
          longest.match(258, 32768).match(258, 24576);
        }
      }
      longest.end();
    }
    all.add(new Stream("odd-longest-codes", longest.trailer().bytes()));

    // All symbols in use, many codes behind each root: 30 of 6 bits, others longer.
    int[] many = new int[286];
    Arrays.fill(many, 9);
    Arrays.fill(many, 0, 226, 8);
    BlockWriter all286 = new BlockWriter().header();
    all286.dynamic(true, many, lengths(1, 0, 1), false);
    for (int i = 0; i < 9000; i++) {
      all286.literal(i % 256);
    }
    all.add(new Stream("odd-all-symbols", all286.end().trailer().bytes()));
  }

  private static void matches(List<Stream> all) {
    byte[] noise = Contents.noise(5, 40000);
    BlockWriter farthest = new BlockWriter().header().stored(false, noise, 0, 33000);
    for (int block = 0; block < 40; block++) {
      farthest.fixed(false).match(258, 32768).match(3, 32768).match(258, 32767).end();
      farthest.fixed(false).match(258, 32768, true).end();
    }
    all.add(new Stream("odd-farthest", farthest.fixed(true).end().trailer().bytes()));

    BlockWriter overlaps = new BlockWriter().header();
    for (int distance = 1; distance <= 64; distance++) {
      overlaps.fixed(false);
      for (int i = 0; i < distance; i++) {
        overlaps.literal((i * 31 + distance) % 256);
      }
      for (int n = 3; n <= 258; n++) {
        overlaps.match(n, distance);
      }
      overlaps.end();
    }
    all.add(new Stream("odd-overlaps", overlaps.fixed(true).end().trailer().bytes()));
  }

  /** Blocks of every kind, with codes, literals and matches by chance. */
  private static byte[] random(int seed, int size) {
    Random random = new Random(seed);
    BlockWriter writer = new BlockWriter();
    while (writer.outputLength() < size) {
      writer.header(2 * random.nextInt(16), random.nextInt(40), random.nextInt(40), 3);
      int start = writer.outputLength();
      for (int blocks = 1 + random.nextInt(20); blocks > 0; blocks--) {
        boolean last = blocks == 1;
        switch (random.nextInt(6)) {
          case 0 -> {
            byte[] data = Contents.noise(random.nextLong(), random.nextInt(3000));
            writer.stored(last, data, 0, data.length);
          }
          case 1 -> writer.fixed(last).end();
          case 2, 3 -> symbols(writer.fixed(last), random, start, 286, 30, size);
          default -> {
            int literals = 257 + random.nextInt(30);
            int distances = 1 + random.nextInt(30);
            writer.dynamic(
                last, code(random, literals), code(random, distances), random.nextBoolean());
            symbols(writer, random, start, literals, distances, size);
          }
        }
      }
      writer.trailer();
    }
    return writer.bytes();
  }

  private static void symbols(
      BlockWriter writer, Random random, int start, int literals, int distances, int size) {
    int most = size > 1_000_000 ? 30000 : 400;
    for (int n = random.nextInt(most); n > 0; n--) {
      int reach = Math.min(Math.min(writer.outputLength() - start, 32768), reach(distances));
      int longest = literals == 286 ? 258 : literals > 257 ? 3 + literals - 258 : 0;
      if (reach > 0 && longest >= 3 && random.nextInt(3) == 0) {
        int length = 3 + random.nextInt(Math.min(longest, 257) - 2);
        int distance = 1 + (int) (reach * Math.pow(random.nextDouble(), 2));
        writer.match(literals == 286 || length <= 10 ? length : 10, distance);
      } else {
        writer.literal(random.nextInt(256));
      }
    }
    writer.end();
  }

  /** The longest distance that a code of so many symbols can tell. */
  private static int reach(int distances) {
    int base = 1;
    for (int symbol = 0; symbol < distances; symbol++) {
      base += 1 << Math.max(0, (symbol - 2) >> 1);
    }
    return base - 1;
  }

  /** A complete code in which each symbol has a place: codes are split until there are enough. */
  private static int[] code(Random random, int symbols) {
    if (symbols == 1) {
      return new int[] {1};
    }
    List<Integer> lengths = new ArrayList<>(List.of(1, 1));
    while (lengths.size() < symbols) {
      int at = random.nextInt(lengths.size());
      if (lengths.get(at) < 15) {
        int length = lengths.get(at) + 1;
        lengths.set(at, length);
        lengths.add(length);
      }
    }
    java.util.Collections.shuffle(lengths, random);
    return lengths.stream().mapToInt(Integer::intValue).toArray();
  }

  /** 286 lengths: 256 of 9 bits would be complete; here 226 of 8 and 60 of 9. */
  private static int[] uniform() {
    int[] lengths = new int[286];
    Arrays.fill(lengths, 9);
    Arrays.fill(lengths, 0, 226, 8);
    return lengths;
  }

  /** Code lengths of a few symbols, given as symbol, length, symbol, length, ... */
  private static int[] lengths(int n, int... pairs) {
    int[] lengths = new int[n];
    for (int i = 0; i < pairs.length; i += 2) {
      lengths[pairs[i]] = pairs[i + 1];
    }
    return lengths;
  }
}
