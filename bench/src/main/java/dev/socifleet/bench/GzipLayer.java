package dev.socifleet.bench;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** A layer of one gzip member, and ways to decode it. */
final class GzipLayer {
  private static final int HEADER = 10;
  private static final int ROOM = 256 * 1024;

  private GzipLayer() {}

  /** Decodes with our decoder, the checksum included; returns the bytes of output. */
  static long ours(byte[] layer) throws InflateException {
    GunzipDecoder gunzip = new GunzipDecoder();
    byte[] out = new byte[Inflate.WINDOW + ROOM + Inflate.OUTPUT_SLACK];
    gunzip.start();
    gunzip.output(out, Inflate.WINDOW, Inflate.WINDOW);
    gunzip.input(layer, 0, layer.length, true);
    long total = 0;
    for (; ; ) {
      Event event = gunzip.run(Inflate.WINDOW + ROOM);
      if (event == Event.END) {
        return total + gunzip.outPosition() - Inflate.WINDOW;
      }
      if (event == Event.OUTPUT) {
        total += gunzip.slide();
      }
    }
  }

  /** The same with the JDK's Inflater, which is zlib. */
  static long zlib(byte[] layer) throws DataFormatException {
    if (layer[3] != 0) {
      throw new IllegalArgumentException("a gzip header without name or other extras is needed");
    }
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(layer, HEADER, layer.length - HEADER);
      byte[] out = new byte[ROOM];
      CRC32 crc = new CRC32();
      while (!inflater.finished()) {
        int n = inflater.inflate(out);
        crc.update(out, 0, n);
      }
      return inflater.getBytesWritten();
    } finally {
      inflater.end();
    }
  }

  static ZtocOutcome.Built build(Path layer) throws IOException {
    try (InputStream in = Files.newInputStream(layer)) {
      return switch (ZtocBuilder.build(
          in, Compression.GZIP, ZtocOptions.ofSpanSize(ZtocOptions.DEFAULT_SPAN_SIZE))) {
        case ZtocOutcome.Built built -> built;
        case ZtocOutcome.NotIndexable not -> throw new IOException(layer + ": " + not.reason());
      };
    }
  }

  static Ztoc ztoc(Path layer) throws IOException {
    return Ztoc.parse(build(layer).bytes());
  }
}
