package dev.socifleet.ztoc;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Layers too large to keep, made while they are read: gzip members one after the other. As a
 * program, indexes one, and says what came of it and how much memory it took.
 */
final class LargeLayer extends InputStream {
  private static final int BLOCK = 512;
  private static final int MEMBER = 1 << 20;
  private static final int FILES_PER_MEMBER = 2048;

  /** Makes the tar's part with this number; nothing at the end. */
  private interface Parts {
    byte[] part(int number) throws IOException;
  }

  private final Parts parts;
  private int next;
  private InputStream current = InputStream.nullInputStream();

  private LargeLayer(Parts parts) {
    this.parts = parts;
  }

  /** One file of so many MiB, which compress to about half. */
  static LargeLayer oneFile(int mebibytes) throws IOException {
    Random random = new Random(5);
    byte[] data = new byte[MEMBER];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 'a' + random.nextInt(4));
    }
    byte[] header = gzip(header("data.bin", (long) mebibytes * MEMBER));
    byte[] member = gzip(data);
    byte[] end = gzip(new byte[2 * BLOCK]);
    return new LargeLayer(i -> {
      if (i == 0) {
        return header;
      }
      if (i <= mebibytes) {
        return member;
      }
      return i == mebibytes + 1 ? end : new byte[0];
    });
  }

  /** So many empty files. */
  static LargeLayer emptyFiles(int files) {
    return new LargeLayer(i -> {
      int first = i * FILES_PER_MEMBER;
      if (first > files) {
        return new byte[0];
      }
      ByteArrayOutputStream tar = new ByteArrayOutputStream();
      for (int k = first; k < Math.min(files, first + FILES_PER_MEMBER); k++) {
        String name = "usr/share/packages/package-%05d/lib/file-%07d.txt".formatted(k / 100, k);
        tar.writeBytes(header(name, 0));
      }
      if (first + FILES_PER_MEMBER > files) {
        tar.writeBytes(new byte[2 * BLOCK]);
      }
      return gzip(tar.toByteArray());
    });
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    int n = current.read(bytes, from, length);
    if (n >= 0) {
      return n;
    }
    byte[] part = parts.part(next++);
    current = new ByteArrayInputStream(part);
    return current.read(bytes, from, length);
  }

  private static byte[] header(String name, long size) {
    byte[] block = new byte[BLOCK];
    put(block, 0, name);
    put(block, 100, "0000644");
    put(block, 108, "0001750");
    put(block, 116, "0001750");
    put(block, 124, String.format(Locale.ROOT, "%011o", size));
    put(block, 136, "14524300000");
    Arrays.fill(block, 148, 156, (byte) ' ');
    block[156] = '0';
    put(block, 257, "ustar\0" + "00");
    put(block, 265, "builder");
    put(block, 297, "builder");
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    put(block, 148, String.format(Locale.ROOT, "%06o\0", sum));
    return block;
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private static byte[] gzip(byte[] data) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var out =
        new GZIPOutputStream(bytes) {
          {
            def.setLevel(Deflater.BEST_SPEED);
          }
        }) {
      out.write(data);
    }
    return bytes.toByteArray();
  }

  /** {@code one-file MEBIBYTES} or {@code empty-files COUNT}. */
  public static void main(String[] args) throws IOException {
    int n = Integer.parseInt(args[1]);
    try (LargeLayer layer = args[0].equals("one-file") ? oneFile(n) : emptyFiles(n)) {
      ZtocOutcome outcome =
          ZtocBuilder.build(
              layer, Compression.GZIP, ZtocOptions.ofSpanSize(ZtocOptions.DEFAULT_SPAN_SIZE));
      switch (outcome) {
        case ZtocOutcome.NotIndexable not -> System.out.println("refused: " + not.reason());
        case ZtocOutcome.Built built -> {
          Ztoc ztoc = Ztoc.parse(built.bytes());
          System.out.printf(
              "built: %d bytes, %d spans, %d files, %d uncompressed%n",
              built.bytes().length, ztoc.spanCount(), ztoc.toc().size(), ztoc.uncompressedSize());
        }
      }
    }
  }
}
