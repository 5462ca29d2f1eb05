package dev.socifleet.ztoc.tar;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** The kinds of member that a zTOC knows, with the words it stores for them. */
public enum EntryType {
  REGULAR('0', "reg"),
  HARD_LINK('1', "hardlink"),
  SYMBOLIC_LINK('2', "symlink"),
  CHARACTER_DEVICE('3', "char"),
  BLOCK_DEVICE('4', "block"),
  DIRECTORY('5', "dir"),
  FIFO('6', "fifo");

  private static final EntryType[] ALL = values();

  private final int flag;
  private final String word;

  @SuppressWarnings("ImmutableEnumChecker") // never written, never handed out
  private final byte[] bytes;

  EntryType(int flag, String word) {
    this.flag = flag;
    this.word = word;
    this.bytes = word.getBytes(StandardCharsets.US_ASCII);
  }

  /** The word in the zTOC. */
  public String word() {
    return word;
  }

  /** Whether data follows the header: only regular files have any, whatever the size field says. */
  public boolean hasData() {
    return this == REGULAR;
  }

  /** The type that a zTOC names by {@code buffer[from, to)}. */
  public static Optional<EntryType> ofWord(byte[] buffer, int from, int to) {
    for (EntryType type : ALL) {
      if (Arrays.equals(type.bytes, 0, type.bytes.length, buffer, from, to)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  static Optional<EntryType> ofFlag(int flag) {
    for (EntryType type : ALL) {
      if (type.flag == flag) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  static boolean isHeaderOnly(int flag) {
    return flag >= '1' && flag <= '6';
  }
}
