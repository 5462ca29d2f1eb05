package dev.socifleet.ztoc.streams;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Streams of the JDK's Deflater: each level, strategy and way to flush. */
public final class DeflaterStreams {
  private static final String[] STRATEGIES = {"default", "filtered", "huffman"};
  private static final String[] FLUSHES = {"no", "", "sync", "full"};

  private DeflaterStreams() {}

  /**
   * @param size bytes of content of each
   */
  public static List<Stream> all(int size) {
    List<Stream> all = new ArrayList<>();
    for (int level = 0; level <= 9; level++) {
      for (int strategy = 0; strategy < STRATEGIES.length; strategy++) {
        for (int flush : new int[] {Deflater.NO_FLUSH, Deflater.SYNC_FLUSH, Deflater.FULL_FLUSH}) {
          byte[] content = Contents.mixed(level, size);
          String name = "java-" + level + "-" + STRATEGIES[strategy] + "-" + FLUSHES[flush];
          all.add(new Stream(name, gzip(content, level, strategy, flush, size / 20 + 1)));
        }
      }
    }
    return all;
  }

  /**
   * One gzip member.
   *
   * @param flush one of Deflater's flush modes, after each {@code every} bytes of content
   */
  public static byte[] gzip(byte[] content, int level, int strategy, int flush, int every) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 0});
    Deflater deflater = new Deflater(level, true);
    deflater.setStrategy(strategy);
    byte[] buffer = new byte[65536];
    for (int at = 0; at < content.length; at += every) {
      deflater.setInput(content, at, Math.min(every, content.length - at));
      int n;
      do {
        n = deflater.deflate(buffer, 0, buffer.length, flush);
        out.write(buffer, 0, n);
      } while (n == buffer.length || !deflater.needsInput());
    }
    deflater.finish();
    while (!deflater.finished()) {
      out.write(buffer, 0, deflater.deflate(buffer));
    }
    deflater.end();
    CRC32 crc = new CRC32();
    crc.update(content);
    for (int shift = 0; shift < 32; shift += 8) {
      out.write((int) (crc.getValue() >>> shift) & 0xff);
    }
    for (int shift = 0; shift < 32; shift += 8) {
      out.write(content.length >>> shift & 0xff);
    }
    return out.toByteArray();
  }
}
