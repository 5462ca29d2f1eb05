package dev.socifleet.fetchcache;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/** A gzip layer of one file that doesn't compress well, and its zTOC. */
record TestLayer(List<byte[]> content, long spanSize) {
  /**
   * @param bytes of the file in it
   */
  static TestLayer make(long seed, int bytes, long spanSize) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    tar.write(header("file", bytes));
    byte[] file = new byte[bytes];
    Random random = new Random(seed);
    for (int i = 0; i < bytes; i++) {
      file[i] = (byte) random.nextInt(64);
    }
    tar.write(file);
    tar.write(new byte[Math.floorMod(-bytes, 512) + 1024]);
    ByteArrayOutputStream layer = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(layer)) {
      tar.writeTo(gzip);
    }
    byte[] blob = layer.toByteArray();
    ZtocOutcome outcome =
        ZtocBuilder.build(
            new ByteArrayInputStream(blob), Compression.GZIP, ZtocOptions.ofSpanSize(spanSize));
    return new TestLayer(List.of(blob, ((ZtocOutcome.Built) outcome).bytes()), spanSize);
  }

  byte[] blob() {
    return content.getFirst();
  }

  byte[] ztoc() {
    return content.getLast();
  }

  Digest digest() {
    return Digest.of(blob());
  }

  List<SpanRange> spans() {
    try {
      Ztoc parsed = Ztoc.parse(ztoc());
      List<SpanRange> spans = new ArrayList<>();
      for (int i = 0; i < parsed.spanCount(); i++) {
        Span span = parsed.span(i);
        spans.add(
            new SpanRange(
                Digest.ofHash(span.sha256()),
                new ByteRange(span.compressedStart(), span.compressedEnd())));
      }
      return spans;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A ustar header (POSIX.1-1988). */
  private static byte[] header(String name, int size) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "0000644\0");
    put(header, 108, "0000000\0");
    put(header, 116, "0000000\0");
    put(header, 124, String.format("%011o\0", size));
    put(header, 136, "00000000000\0");
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += Byte.toUnsignedInt(b);
    }
    put(header, 148, String.format("%06o\0 ", sum));
    return header;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}
