package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.ZtocBuilder;
import dev.socifleet.ztoc.ZtocOptions;
import dev.socifleet.ztoc.ZtocOutcome;
import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;

/**
 * Whole gzip and zlib streams of any number of members: decision and output are those of a plain
 * reader on top of the JDK's Inflater.
 *
 * <p>Input: flags; a seed for the cuts; then the stream. With the lowest flag set, its members'
 * checksums are made right first, as nobody hits them by chance. With the second set, it is indexed
 * as a layer as well, with the default span size.
 */
public final class GzipTarget {
  private static final int ROOM = 64 * 1024;

  private static final GunzipDecoder GUNZIP = new GunzipDecoder();
  private static final byte[] OUT = new byte[Inflate.WINDOW + ROOM + Inflate.OUTPUT_SLACK];

  private GzipTarget() {}

  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length < 2) {
      return;
    }
    byte[] given = Arrays.copyOfRange(data, 2, data.length);
    byte[] stream = (data[0] & 1) != 0 ? repaired(given) : given;
    if ((data[0] & 2) != 0) {
      index(stream);
    }
    GzipOracle.Result wanted = GzipOracle.read(stream);
    if (wanted.tooMuch()) {
      return;
    }
    CRC32 crc = new CRC32();
    long[] output = new long[1];
    Limits.check(() -> {
      crc.reset();
      output[0] = ours(stream, new Random(data[1]), crc);
      return stream.length + Math.max(output[0], 0);
    });
    long length = output[0];
    if (length != (wanted.sound() ? wanted.length() : -1)) {
      throw new AssertionError("output of " + length + " bytes, wanted " + wanted);
    }
    if (wanted.sound() && crc.getValue() != wanted.crc()) {
      throw new AssertionError("other output than " + wanted);
    }
  }

  private static void index(byte[] stream) {
    ZtocOutcome[] outcome = new ZtocOutcome[1];
    Limits.check(() -> {
      try {
        outcome[0] =
            ZtocBuilder.build(
                new ByteArrayInputStream(stream),
                Compression.GZIP,
                ZtocOptions.ofSpanSize(ZtocOptions.DEFAULT_SPAN_SIZE));
      } catch (IOException e) {
        throw new AssertionError("interrupted", e);
      }
      return stream.length;
    });
    if (outcome[0] instanceof ZtocOutcome.Built built) {
      try {
        Ztoc.parse(built.bytes());
      } catch (MalformedZtocException e) {
        throw new AssertionError("built, but not read", e);
      }
    }
  }

  /** Bytes of output, -1 if the stream is refused. */
  private static long ours(byte[] stream, Random cuts, CRC32 crc) {
    GUNZIP.start();
    GUNZIP.output(OUT, Inflate.WINDOW, Inflate.WINDOW);
    long length = 0;
    int given = 0;
    int from = 0;
    int taken = Inflate.WINDOW;
    try {
      for (; ; ) {
        given = Math.min(stream.length, given + 1 + cuts.nextInt(1 << cuts.nextInt(13)));
        byte[] piece = Arrays.copyOfRange(stream, from, given);
        GUNZIP.input(piece, 0, piece.length, given == stream.length);
        Event event;
        do {
          event = GUNZIP.run(Inflate.WINDOW + ROOM);
          crc.update(OUT, taken, GUNZIP.outPosition() - taken);
          length += GUNZIP.outPosition() - taken;
          taken = GUNZIP.outPosition();
          if (taken >= Inflate.WINDOW + ROOM) {
            GUNZIP.slide();
            taken = GUNZIP.outPosition();
          }
        } while (event == Event.OUTPUT || event == Event.BOUNDARY);
        if (event == Event.END) {
          return length;
        }
        from = given - GUNZIP.unread();
      }
    } catch (InflateException e) {
      if (e.offset() < 0 || e.offset() > stream.length) {
        throw new AssertionError("offset " + e.offset() + " of " + stream.length, e);
      }
      return -1;
    }
  }

  /** The same members with checksums and lengths that are right; the rest as it is. */
  private static byte[] repaired(byte[] stream) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    int at = 0;
    while (at < stream.length) {
      GzipOracle.Member member = GzipOracle.member(stream, at);
      if (!member.decoded()) {
        break;
      }
      whole.write(stream, at, member.bodyEnd() - at);
      whole.writeBytes(member.trailer());
      at = Math.min(stream.length, member.bodyEnd() + member.trailer().length);
    }
    whole.write(stream, at, stream.length - at);
    return whole.toByteArray();
  }
}
