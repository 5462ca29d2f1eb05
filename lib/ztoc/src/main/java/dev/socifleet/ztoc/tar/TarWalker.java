package dev.socifleet.ztoc.tar;

import java.util.Arrays;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a tar stream that is pushed at it piece by piece, and reports its members. Not thread-safe.
 *
 * <p>It looks at headers only and keeps at most one header block and one extended header (1 MiB).
 * The archive ends with two zero blocks, or with the stream where a header could begin; what comes
 * after its end is ignored.
 */
public final class TarWalker {
  /** Go's limit for the payload of an extended header, and for a sparse map. */
  private static final int MAX_EXTENDED = 1 << 20;

  private enum State {
    HEADER,
    SECOND_ZERO,
    EXTENDED,
    SPARSE_MAP,
    DATA,
    PADDING,
    END
  }

  private final Consumer<TarEntry> entries;
  private final byte[] block = new byte[Header.SIZE];
  private final SparseMap sparse = new SparseMap();

  private State state = State.HEADER;
  private long position;
  private int filled;
  private long left;
  private int padding;

  private byte[] extended = block;
  private int extendedFlag;
  private SortedMap<byte[], byte[]> pax = PaxRecords.EMPTY;
  private byte[] longName = {};
  private byte[] longLink = {};
  private int mapLength;
  private @Nullable Header sparseMember;

  /**
   * @param entries is given each member when its headers are complete
   */
  public TarWalker(Consumer<TarEntry> entries) {
    this.entries = entries;
  }

  /** Bytes up to the archive's end, its two zero blocks included, or of the stream so far. */
  public long position() {
    return position;
  }

  /** Whether the archive's end was seen. */
  public boolean ended() {
    return state == State.END;
  }

  /**
   * Whether the next byte is the first of a header block: a member's, one that extends the next
   * member's, or one of the archive's end.
   */
  public boolean atHeader() {
    return state == State.HEADER && filled == 0;
  }

  /** Takes the next bytes of the stream. */
  public void accept(byte[] buffer, int from, int to) throws TarException {
    int at = from;
    while (at < to && state != State.END) {
      int n = to - at;
      switch (state) {
        case HEADER, SECOND_ZERO, SPARSE_MAP -> {
          n = Math.min(n, Header.SIZE - filled);
          System.arraycopy(buffer, at, block, filled, n);
          filled += n;
        }
        case EXTENDED -> {
          n = Math.min(n, (int) left);
          System.arraycopy(buffer, at, extended, filled, n);
          filled += n;
          left -= n;
        }
        case DATA -> {
          n = (int) Math.min(n, left);
          left -= n;
        }
        case PADDING -> {
          n = Math.min(n, padding);
          padding -= n;
        }
        case END -> throw new IllegalStateException("ended");
      }
      at += n;
      position += n;
      advance();
    }
  }

  /** Says that the stream has ended. */
  public void finish() throws TarException {
    switch (state) {
      case HEADER, SECOND_ZERO -> {
        if (filled > 0) {
          throw new TarException("tar: unexpected end in a header", position);
        }
        state = State.END;
      }
      case EXTENDED ->
          throw new TarException("tar: unexpected end in an extended header", position);
      case SPARSE_MAP -> throw new TarException("tar: unexpected end in a sparse map", position);
      case DATA ->
          throw new TarException(
              "tar: unexpected end, " + left + " bytes of data missing", position);
      case PADDING, END -> state = State.END;
    }
  }

  /** Goes on to the next state if what was waited for is complete. */
  private void advance() throws TarException {
    try {
      switch (state) {
        case HEADER -> {
          if (filled == Header.SIZE) {
            filled = 0;
            header();
          }
        }
        case SECOND_ZERO -> {
          if (filled == Header.SIZE) {
            if (!Header.isZero(block)) {
              throw new Numbers.Invalid();
            }
            state = State.END;
          }
        }
        case EXTENDED -> {
          if (left == 0) {
            extended();
          }
        }
        case SPARSE_MAP -> {
          if (filled == Header.SIZE) {
            filled = 0;
            sparseBlock();
          }
        }
        case DATA, PADDING -> skip();
        case END -> {}
      }
    } catch (Numbers.Invalid e) {
      throw new TarException("tar: invalid header", position - Header.SIZE);
    }
  }

  private void skip() {
    if (left > 0) {
      state = State.DATA;
    } else if (padding > 0) {
      state = State.PADDING;
    } else {
      state = State.HEADER;
    }
  }

  private void header() throws Numbers.Invalid, TarException {
    if (Header.isZero(block)) {
      state = State.SECOND_ZERO;
      return;
    }
    Header header = new Header(block);
    left = header.dataSize();
    padding = (int) -left & (Header.SIZE - 1);
    switch (header.flag) {
      case 'x', 'L', 'K' -> {
        if (left > MAX_EXTENDED) {
          throw new TarException("tar: extended header of " + left + " bytes", position);
        }
        extended = new byte[(int) left];
        extendedFlag = header.flag;
        state = State.EXTENDED;
        if (left == 0) {
          extended();
        }
      }
      default -> member(header);
    }
  }

  private void extended() throws Numbers.Invalid {
    switch (extendedFlag) {
      case 'x' -> pax = PaxRecords.parse(extended, extended.length);
      case 'L' -> longName = Header.text(extended, 0, extended.length);
      default -> longLink = Header.text(extended, 0, extended.length);
    }
    extended = block;
    filled = 0;
    skip();
  }

  private void member(Header header) throws Numbers.Invalid, TarException {
    header.apply(pax);
    if (longName.length > 0) {
      header.name = longName;
    }
    if (longLink.length > 0) {
      header.linkName = longLink;
    }
    header.settleOldType();
    if (EntryType.ofFlag(header.flag).isEmpty()) {
      throw new TarException(
          "tar: unsupported entry type '" + printable(header.flag) + "'", position - Header.SIZE);
    }
    left = header.dataSize();
    padding = (int) -left & (Header.SIZE - 1);
    SparseMap.Form form = SparseMap.form(pax);
    if (form != SparseMap.Form.NONE) {
      sparse(header, form);
    }
    if (form != SparseMap.Form.IN_DATA) {
      report(header);
    }
  }

  private void sparse(Header header, SparseMap.Form form) throws Numbers.Invalid {
    if (EntryType.isHeaderOnly(header.flag)) {
      throw new Numbers.Invalid();
    }
    byte[] name = PaxRecords.value(pax, PaxRecords.SPARSE_NAME);
    if (name.length > 0) {
      header.name = name;
    }
    byte[] size = PaxRecords.value(pax, PaxRecords.SPARSE_SIZE);
    if (size.length == 0) {
      size = PaxRecords.value(pax, PaxRecords.SPARSE_REAL_SIZE);
    }
    if (size.length > 0) {
      header.size = Numbers.decimal(size);
    }
    sparse.start(header.size);
    if (form == SparseMap.Form.IN_RECORDS) {
      sparse.records(pax);
    } else {
      mapLength = 0;
      sparseMember = header;
      nextSparseBlock();
    }
  }

  private void sparseBlock() throws Numbers.Invalid {
    if (mapLength == 0) {
      extended = new byte[8 * Header.SIZE];
    } else if (mapLength == extended.length) {
      extended = Arrays.copyOf(extended, 2 * mapLength);
    }
    System.arraycopy(block, 0, extended, mapLength, Header.SIZE);
    mapLength += Header.SIZE;
    left -= Header.SIZE;
    if (sparse.data(extended, mapLength, Header.SIZE)) {
      extended = block;
      report(Objects.requireNonNull(sparseMember));
      sparseMember = null;
    } else {
      nextSparseBlock();
    }
  }

  private void nextSparseBlock() throws Numbers.Invalid {
    if (left < Header.SIZE || mapLength >= MAX_EXTENDED) {
      throw new Numbers.Invalid();
    }
    state = State.SPARSE_MAP;
  }

  private void report(Header header) {
    entries.accept(
        new TarEntry(
            EntryType.ofFlag(header.flag).orElseThrow(),
            header.name,
            header.linkName,
            position,
            header.size,
            header.mode,
            header.uid,
            header.gid,
            header.userName,
            header.groupName,
            header.seconds,
            header.nanos,
            header.deviceMajor,
            header.deviceMinor,
            pax));
    pax = PaxRecords.EMPTY;
    longName = new byte[0];
    longLink = new byte[0];
    skip();
  }

  private static String printable(int flag) {
    return flag >= 0x20 && flag < 0x7f
        ? String.valueOf((char) flag)
        : "0x" + Integer.toHexString(flag);
  }
}
