package dev.socifleet.ztoc.inflate;

import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.Checksum;

/**
 * Decodes a sequence of gzip members as one stream. Not thread-safe; reusable.
 *
 * <p>Every member's checksum and length are checked, but for one that was entered in the middle.
 * Bytes behind the last member that are no further member are an error, as they are to the existing
 * tool. A member may also be a zlib stream, with an Adler-32 instead of CRC-32 and length: zlib, as
 * that tool asks it to, takes either wherever a member begins.
 */
public final class GunzipDecoder {
  private enum Stage {
    BETWEEN,
    HEADER,
    BODY,
    TRAILER
  }

  private final Inflate inflate = new Inflate();
  private final MemberHeader header = new MemberHeader();
  private final CRC32 crc = new CRC32();
  private final Adler32 adler = new Adler32();

  private Stage stage = Stage.BETWEEN;
  private boolean first;
  private boolean verify;
  private boolean zlib;
  private Checksum sum = crc;
  private long length;
  private long trailer;
  private int trailerBytes;

  /** Starts at the header of a file's first member, compressed offset 0. */
  public void start() {
    inflate.reset(0);
    stage = Stage.BETWEEN;
    first = true;
  }

  /**
   * Starts at a boundary inside a member; give the input first.
   *
   * @param position compressed offset of the first byte of input
   * @param bits how many of its high bits belong to the block; 0 for all of it
   */
  public void startAt(long position, int bits, byte[] buffer, int from, int to) {
    inflate.reset(position);
    inflate.input(buffer, from, to, true);
    inflate.startInByte(bits);
    stage = Stage.BODY;
    first = false;
    verify = false;
    zlib = false;
  }

  /** See {@link Inflate#input}. */
  public void input(byte[] buffer, int from, int to, boolean noMore) {
    inflate.input(buffer, from, to, noMore);
  }

  /** See {@link Inflate#output}. */
  public void output(byte[] buffer, int position, int lowest) {
    inflate.output(buffer, position, lowest);
  }

  /** See {@link Inflate#slide}. */
  public int slide() {
    return inflate.slide();
  }

  /** See {@link Inflate#slideTo}. */
  public int slideTo(byte[] buffer) {
    return inflate.slideTo(buffer);
  }

  /** Where the next byte of output goes. */
  public int outPosition() {
    return inflate.outPosition();
  }

  /** Bytes of input not read yet. */
  public int unread() {
    return inflate.unread();
  }

  /** Compressed offset of the first byte of which nothing was consumed. */
  public long position() {
    return inflate.position();
  }

  /** How many of the high bits of the byte before {@link #position} are not consumed yet. */
  public int bits() {
    return inflate.bits();
  }

  /** Whether the member that it stands in has a zlib header. */
  public boolean zlib() {
    return zlib;
  }

  /** Of the last header read: bytes of the longer of name and comment, with the NUL; else 0. */
  public int longestHeaderText() {
    return header.longestText();
  }

  /** Decodes until something is to be done; see {@link Inflate#run}. */
  public Event run(int limit) throws InflateException {
    for (; ; ) {
      switch (stage) {
        case BETWEEN -> {
          if (inflate.exhausted() && !first) {
            return Event.END;
          }
          if (inflate.unread() == 0 && !inflate.noMoreInput()) {
            return Event.INPUT;
          }
          first = false;
          header.reset();
          stage = Stage.HEADER;
        }
        case HEADER -> {
          if (!readHeader()) {
            return Event.INPUT;
          }
          inflate.start();
          inflate.floor(inflate.outPosition());
          zlib = header.zlib();
          sum = zlib ? adler : crc;
          sum.reset();
          length = 0;
          verify = true;
          stage = Stage.BODY;
          return Event.BOUNDARY;
        }
        case BODY -> {
          Event event = body(limit);
          if (event != Event.END) {
            return event;
          }
          inflate.align();
          trailer = 0;
          trailerBytes = 0;
          stage = Stage.TRAILER;
        }
        case TRAILER -> {
          if (!readTrailer()) {
            return Event.INPUT;
          }
          stage = Stage.BETWEEN;
        }
      }
    }
  }

  private Event body(int limit) throws InflateException {
    int before = inflate.outPosition();
    Event event = inflate.run(limit);
    int produced = inflate.outPosition() - before;
    if (verify && produced > 0) {
      sum.update(inflate.out(), before, produced);
      length += produced;
    }
    return event;
  }

  private boolean readHeader() throws InflateException {
    while (!header.done()) {
      int b = inflate.nextByte();
      if (b < 0) {
        return more("compressed data ends in the middle of a gzip header");
      }
      header.accept(b, inflate.position() - 1);
    }
    return true;
  }

  private boolean readTrailer() throws InflateException {
    while (trailerBytes < (zlib ? 4 : 8)) {
      int b = inflate.nextByte();
      if (b < 0) {
        return more("compressed data ends in the middle of a gzip trailer");
      }
      trailer |= (long) b << (8 * trailerBytes++);
    }
    if (verify) {
      checkTrailer();
    }
    return true;
  }

  /** RFC 1952: CRC-32 and length, little endian; RFC 1950: Adler-32, big endian. */
  private void checkTrailer() throws InflateException {
    if (zlib) {
      if (Integer.reverseBytes((int) trailer) != (int) sum.getValue()) {
        throw new InflateException("zlib trailer: Adler-32 does not match", inflate.position() - 4);
      }
      return;
    }
    if ((trailer & 0xffffffffL) != sum.getValue()) {
      throw new InflateException("gzip trailer: CRC-32 does not match", inflate.position() - 8);
    }
    if (trailer >>> 32 != (length & 0xffffffffL)) {
      throw new InflateException("gzip trailer: length does not match", inflate.position() - 4);
    }
  }

  /** False if more input may come; else the stream is cut. */
  private boolean more(String reason) throws InflateException {
    if (inflate.noMoreInput()) {
      throw new InflateException(reason, inflate.position());
    }
    return false;
  }
}
