package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.nio.charset.StandardCharsets;

/** Makes the checksums of tar headers right. */
final class Checksums {
  private static final int BLOCK = 512;
  private static final int FIELD = 148;

  private Checksums() {}

  /** Writes a checksum into each block that is read as a header, unless it is all zeros. */
  static void repair(byte[] archive) {
    TarWalker walker = new TarWalker(entry -> {});
    try {
      for (int at = 0; at + BLOCK <= archive.length && !walker.ended(); at += BLOCK) {
        if (walker.atHeader() && !isZero(archive, at)) {
          write(archive, at);
        }
        walker.accept(archive, at, at + BLOCK);
      }
    } catch (TarException e) {
      // Refused for another reason: what was repaired up to here is what the target looks at.
    }
  }

  private static boolean isZero(byte[] archive, int at) {
    for (int i = at; i < at + BLOCK; i++) {
      if (archive[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static void write(byte[] archive, int at) {
    int sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= FIELD && i < FIELD + 8 ? ' ' : archive[at + i] & 0xff;
    }
    byte[] text = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, archive, at + FIELD, text.length);
  }
}
