package dev.socifleet.bench;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.zip.GZIPOutputStream;

/** Layers of any size that are made while they are read, a gzip member of about 1 MiB at a time. */
final class MadeLayer extends InputStream {
  private static final int BLOCK = 512;
  private static final int MEMBER = 1 << 20;

  private final int members;
  private final IntFunction<byte[]> member;
  private int next;
  private InputStream current = InputStream.nullInputStream();

  private MadeLayer(int members, IntFunction<byte[]> member) {
    this.members = members;
    this.member = member;
  }

  /** One file of so many MiB, which compresses to about half. */
  static MadeLayer oneFile(int mebibytes) {
    Random random = new Random(1);
    byte[] data = new byte[MEMBER];
    for (int i = 0; i < MEMBER; i++) {
      data[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 'a' + random.nextInt(4));
    }
    byte[] header = gzip(header("data", (long) mebibytes * MEMBER));
    byte[] piece = gzip(data);
    byte[] end = gzip(new byte[2 * BLOCK]);
    return new MadeLayer(mebibytes + 2, i -> i == 0 ? header : i <= mebibytes ? piece : end);
  }

  /** So many empty files, names of 50 bytes. */
  static MadeLayer emptyFiles(int files) {
    int perMember = MEMBER / BLOCK;
    int members = (files + perMember - 1) / perMember;
    return new MadeLayer(
        members + 1,
        i -> {
          ByteArrayOutputStream tar = new ByteArrayOutputStream();
          for (int k = i * perMember; k < Math.min(files, (i + 1) * perMember); k++) {
            tar.writeBytes(
                header("usr/share/packages/some-%05d/lib/file-%09d.txt".formatted(k / 100, k), 0));
          }
          if (i == members) {
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
  public int read(byte[] to, int from, int length) throws IOException {
    int n = current.read(to, from, length);
    if (n >= 0 || next == members) {
      return n;
    }
    current = new ByteArrayInputStream(member.apply(next++));
    return current.read(to, from, length);
  }

  private static byte[] header(String name, long size) {
    byte[] block = new byte[BLOCK];
    put(block, 0, name);
    put(block, 100, "0000644\0000001750\0000001750");
    put(block, 124, "%011o".formatted(size));
    put(block, 136, "14524300000\0        0");
    put(block, 257, "ustar\00000builder");
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    put(block, 148, "%06o\0 ".formatted(sum));
    return block;
  }

  private static void put(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private static byte[] gzip(byte[] data) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(data);
    } catch (IOException e) {
      throw new AssertionError("memory doesn't fail", e);
    }
    return bytes.toByteArray();
  }
}
