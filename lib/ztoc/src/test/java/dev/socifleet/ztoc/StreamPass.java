package dev.socifleet.ztoc;

import dev.socifleet.ztoc.inflate.Event;
import dev.socifleet.ztoc.inflate.GunzipDecoder;
import dev.socifleet.ztoc.inflate.Inflate;
import dev.socifleet.ztoc.inflate.InflateException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a whole gzip stream and takes its checkpoints, as a zTOC build does but for the tar in
 * it. Input comes and output goes in pieces by chance, so that each run meets other edges.
 */
final class StreamPass {
  private static final int ROOM = 256 * 1024;

  private final GunzipDecoder gunzip = new GunzipDecoder();
  private final byte[] out = new byte[Inflate.WINDOW + ROOM + Inflate.OUTPUT_SLACK];
  private final Checkpoints checkpoints;
  private final CRC32 crc = new CRC32();
  private long outBase = -Inflate.WINDOW;
  private int taken = Inflate.WINDOW;
  private @Nullable InflateException failure;

  private StreamPass(long spanSize) {
    checkpoints = new Checkpoints(spanSize);
  }

  /**
   * @param pieces where pieces end; null for all input at once
   */
  static StreamPass over(byte[] stream, long spanSize, @Nullable Random pieces) {
    StreamPass pass = new StreamPass(spanSize);
    try {
      pass.run(stream, pieces);
    } catch (InflateException e) {
      pass.failure = e;
    }
    return pass;
  }

  private void run(byte[] stream, @Nullable Random pieces) throws InflateException {
    gunzip.start();
    gunzip.output(out, Inflate.WINDOW, Inflate.WINDOW);
    int given = 0;
    int at = 0;
    for (; ; ) {
      int more = pieces == null ? stream.length : 1 + pieces.nextInt(1 << pieces.nextInt(17));
      given = (int) Math.min(stream.length, (long) given + more);
      byte[] piece = java.util.Arrays.copyOfRange(stream, at, given);
      gunzip.input(piece, 0, piece.length, given == stream.length);
      Event event;
      do {
        int room = Inflate.WINDOW + ROOM - gunzip.outPosition();
        int limit =
            gunzip.outPosition() + (pieces == null ? room : 1 + pieces.nextInt(Math.max(room, 1)));
        event = gunzip.run(Math.min(limit, Inflate.WINDOW + ROOM));
        take(event);
      } while (event == Event.OUTPUT || event == Event.BOUNDARY);
      if (event == Event.END) {
        return;
      }
      at = given - gunzip.unread();
    }
  }

  private void take(Event event) {
    crc.update(out, taken, gunzip.outPosition() - taken);
    taken = gunzip.outPosition();
    long total = outBase + taken;
    if (event == Event.BOUNDARY && checkpoints.wanted(total)) {
      checkpoints.add(gunzip.position(), gunzip.bits(), total, out, taken);
    }
    if (taken >= Inflate.WINDOW + ROOM) {
      outBase += gunzip.slide();
      taken = gunzip.outPosition();
    }
  }

  boolean sound() {
    return failure == null;
  }

  /** What the stream was refused with. */
  @Nullable InflateException failure() {
    return failure;
  }

  long outputBytes() {
    return outBase + taken;
  }

  int crc() {
    return (int) crc.getValue();
  }

  /** Checkpoints as a zTOC stores them. */
  byte[] checkpoints() {
    ByteBuffer buffer = ByteBuffer.allocate(checkpoints.bytes());
    checkpoints.write(buffer);
    return buffer.array();
  }
}
