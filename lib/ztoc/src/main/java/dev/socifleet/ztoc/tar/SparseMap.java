package dev.socifleet.ztoc.tar;

import java.util.Map;

/**
 * The map of a sparse file in GNU's PAX formats: where in the file the stored pieces belong. A zTOC
 * has no room for it; it is read only because the tool we must equal checks it, and because in
 * format 1.0 it stands in front of the data and moves the data's offset.
 *
 * <p>Formats 0.0 and 0.1 have it in PAX records, format 1.0 in the first blocks of the data:
 * decimal numbers, each ended by a newline: how many pieces, then offset and length of each.
 */
final class SparseMap {
  enum Form {
    NONE,
    IN_RECORDS,
    IN_DATA
  }

  private long entries = -1;
  private long lines;
  private long numbers;
  private long offset;
  private long end;
  private long fileSize;

  /** The form that a member's PAX records announce. */
  static Form form(Map<byte[], byte[]> pax) {
    byte[] major = PaxRecords.value(pax, PaxRecords.SPARSE_MAJOR);
    byte[] minor = PaxRecords.value(pax, PaxRecords.SPARSE_MINOR);
    if (is(major, '0') && (is(minor, '0') || is(minor, '1'))) {
      return Form.IN_RECORDS;
    }
    if (is(major, '1') && is(minor, '0')) {
      return Form.IN_DATA;
    }
    if (major.length > 0 || minor.length > 0) {
      return Form.NONE;
    }
    return PaxRecords.value(pax, PaxRecords.SPARSE_MAP).length > 0 ? Form.IN_RECORDS : Form.NONE;
  }

  private static boolean is(byte[] value, char digit) {
    return value.length == 1 && value[0] == digit;
  }

  /** Begins a map for a file of this logical size. */
  void start(long size) {
    entries = -1;
    lines = 0;
    numbers = 0;
    offset = 0;
    end = 0;
    fileSize = size;
  }

  /** Checks the map in PAX records. */
  void records(Map<byte[], byte[]> pax) throws Numbers.Invalid {
    count(Numbers.decimal(PaxRecords.value(pax, PaxRecords.SPARSE_BLOCKS)));
    byte[] map = PaxRecords.value(pax, PaxRecords.SPARSE_MAP);
    for (int from = 0; map.length > 0 && from <= map.length; ) {
      int to = from;
      while (to < map.length && map[to] != ',') {
        to++;
      }
      piece(Numbers.decimal(map, from, to));
      from = to + 1;
    }
    if (!complete()) {
      throw new Numbers.Invalid();
    }
  }

  /**
   * Looks at what was read of the data so far, of which the last {@code added} bytes are new.
   *
   * @return whether the map is complete
   */
  boolean data(byte[] text, int length, int added) throws Numbers.Invalid {
    for (int i = length - added; i < length; i++) {
      lines += text[i] == '\n' ? 1 : 0;
    }
    if (lines == 0) {
      return false;
    }
    if (entries < 0) {
      count(Numbers.decimal(text, 0, lineEnd(text, 0)));
    }
    if (lines < 1 + 2 * entries) {
      return false;
    }
    int from = lineEnd(text, 0) + 1;
    while (!complete()) {
      int to = lineEnd(text, from);
      piece(Numbers.decimal(text, from, to));
      from = to + 1;
    }
    return true;
  }

  private static int lineEnd(byte[] text, int from) {
    int at = from;
    while (text[at] != '\n') {
      at++;
    }
    return at;
  }

  private void count(long n) throws Numbers.Invalid {
    if (n < 0 || n > Long.MAX_VALUE / 2 || fileSize < 0) {
      throw new Numbers.Invalid();
    }
    entries = n;
  }

  private boolean complete() {
    return numbers == 2 * entries;
  }

  /** Offsets and lengths in turn: pieces in order, apart from each other, within the file. */
  private void piece(long number) throws Numbers.Invalid {
    if (number < 0 || complete()) {
      throw new Numbers.Invalid();
    }
    if (numbers++ % 2 == 0) {
      offset = number;
      return;
    }
    if (number > Long.MAX_VALUE - offset || offset + number > fileSize || offset < end) {
      throw new Numbers.Invalid();
    }
    end = offset + number;
  }
}
