package dev.socifleet.ztoc.fuzz;

import dev.socifleet.ztoc.tar.EntryType;
import dev.socifleet.ztoc.tar.TarEntry;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/**
 * Tar archives: the same members and the same end however the stream is cut; members behind each
 * other; and where commons-compress reads the archive too, the same names, sizes and types.
 *
 * <p>Input: flags; a seed for the cuts; then the archive. With the lowest flag set, the checksums
 * of its headers are made right first, as nobody hits them by chance.
 */
public final class TarTarget {
  private static final int BLOCK = 512;
  private static final int UID = 108;
  private static final int GID = 116;
  private static final int SIZE = 124;
  private static final int SIZE_END = 136;
  private static final int MAGIC = 257;
  private static final byte[] USTAR = {'u', 's', 't', 'a', 'r', 0, '0', '0'};

  /**
   * What came of reading an archive.
   *
   * @param failure null if it was read to its end
   */
  private record Reading(List<TarEntry> entries, long position, TarException failure) {}

  private TarTarget() {}

  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length < 2) {
      return;
    }
    byte[] archive = Arrays.copyOfRange(data, 2, data.length);
    if ((data[0] & 1) != 0) {
      Checksums.repair(archive);
    }
    Limits.check(() -> {
      read(archive, new Random(0), archive.length);
      return data.length;
    });
    Reading whole = read(archive, new Random(0), archive.length);
    checkOrder(whole, archive.length);
    Reading pieces = read(archive, new Random(data[1]), 700);
    if (pieces.position != whole.position
        || pieces.entries.size() != whole.entries.size()
        || !message(pieces).equals(message(whole))) {
      throw new AssertionError("read in pieces: " + pieces + ", at once: " + whole);
    }
    if (whole.failure == null && (data[0] & 2) == 0) {
      compare(whole.entries, archive);
    }
  }

  private static Reading read(byte[] archive, Random cuts, int most) {
    List<TarEntry> entries = new ArrayList<>();
    TarWalker walker = new TarWalker(entries::add);
    try {
      for (int at = 0; at < archive.length; ) {
        int n = most >= archive.length ? archive.length : 1 + cuts.nextInt(most);
        int to = Math.min(archive.length, at + n);
        walker.accept(archive, at, to);
        at = to;
      }
      walker.finish();
      return new Reading(entries, walker.position(), null);
    } catch (TarException e) {
      return new Reading(entries, walker.position(), e);
    }
  }

  private static String message(Reading reading) {
    return reading.failure == null ? "" : String.valueOf(reading.failure.getMessage());
  }

  private static void checkOrder(Reading reading, int length) {
    if (reading.position > length) {
      throw new AssertionError("position " + reading.position + " of " + length);
    }
    long next = 0;
    for (TarEntry entry : reading.entries) {
      if (entry.offset() < next + BLOCK || entry.offset() % BLOCK != 0 || entry.offset() > length) {
        throw new AssertionError(entry + " before " + (next + BLOCK));
      }
      next = end(entry);
    }
  }

  /** Behind an entry's data. */
  private static long end(TarEntry entry) {
    boolean sparse = entry.pax().keySet().stream().anyMatch(TarTarget::isSparse);
    boolean data = entry.type().hasData() && !sparse;
    return entry.offset() + (data ? (entry.size() + BLOCK - 1) / BLOCK * BLOCK : 0);
  }

  private static boolean isSparse(byte[] key) {
    return new String(key, StandardCharsets.ISO_8859_1).startsWith("GNU.sparse.");
  }

  /**
   * Left out is where commons-compress differs from Go, as which we must decide: PAX records that
   * repeat or say nonsense; data behind links and directories with a size; a prefix to the name in
   * headers that are of no known dialect; a size that begins with NUL, which Go skips as it does
   * spaces, and commons-compress takes as the end of a field with nothing in it; and a file whose
   * name ends with a slash, which has data to Go, and is a directory to commons-compress.
   */
  private static void compare(List<TarEntry> ours, byte[] archive) {
    int header = 0;
    for (TarEntry entry : ours) {
      if (!entry.pax().isEmpty()
          || (!entry.type().hasData() && entry.size() != 0)
          || (entry.type().hasData() && endsWithSlash(entry.name()))
          || !isUstar(archive, (int) entry.offset() - BLOCK)) {
        return;
      }
      // More than one block if extended headers come first: their sizes count too.
      for (; header < entry.offset(); header += BLOCK) {
        if (isSizeBehindNul(archive, header)) {
          return;
        }
      }
      header = (int) end(entry);
    }
    List<TarArchiveEntry> theirs = new ArrayList<>();
    try (TarArchiveInputStream in =
        new TarArchiveInputStream(
            new ByteArrayInputStream(archive),
            BLOCK,
            BLOCK,
            StandardCharsets.ISO_8859_1.name(),
            /* lenient= */ false)) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        theirs.add(entry);
      }
    } catch (IOException | RuntimeException e) {
      return;
    }
    if (ours.size() != theirs.size()) {
      throw new AssertionError(ours.size() + " members, by commons-compress " + theirs.size());
    }
    for (int i = 0; i < ours.size(); i++) {
      compare(ours.get(i), theirs.get(i), archive);
    }
  }

  private static boolean isUstar(byte[] archive, int header) {
    return Arrays.equals(
        archive, header + MAGIC, header + MAGIC + USTAR.length, USTAR, 0, USTAR.length);
  }

  private static boolean endsWithSlash(byte[] name) {
    return name.length > 0 && name[name.length - 1] == '/';
  }

  private static boolean isSizeBehindNul(byte[] archive, int header) {
    if (archive[header + SIZE] != 0) {
      return false;
    }
    for (int i = header + SIZE; i < header + SIZE_END; i++) {
      if (archive[i] != 0) {
        return true;
      }
    }
    return false;
  }

  /** Of user and group ids, commons-compress keeps 32 bits; those behind a NUL are 0 to it. */
  private static void compare(TarEntry ours, TarArchiveEntry theirs, byte[] archive) {
    int header = (int) ours.offset() - BLOCK;
    int uid = archive[header + UID] == 0 ? 0 : (int) ours.uid();
    int gid = archive[header + GID] == 0 ? 0 : (int) ours.gid();
    String name = new String(ours.name(), StandardCharsets.ISO_8859_1);
    String link = new String(ours.linkName(), StandardCharsets.ISO_8859_1);
    boolean same =
        trimmed(name).equals(trimmed(theirs.getName()))
            && link.equals(theirs.getLinkName())
            && (ours.type() != EntryType.REGULAR || ours.size() == theirs.getSize())
            && uid == (int) theirs.getLongUserId()
            && gid == (int) theirs.getLongGroupId();
    if (!same) {
      throw new AssertionError(
          ours + " " + name + " " + link + ", by commons-compress " + theirs.getName());
    }
  }

  /** commons-compress adds a slash to the name of a directory. */
  private static String trimmed(String name) {
    return name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
  }
}
