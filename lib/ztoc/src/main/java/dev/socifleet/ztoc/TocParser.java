package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks the files of a zTOC. Single use.
 *
 * <p>Its time is linear in the size of the zTOC, though a flatbuffer may refer to the same bytes
 * from many places: files must have growing offsets, so none is read twice, and the records and
 * names looked at are counted against what can be there.
 */
final class TocParser {
  private static final byte[] SPARSE = "GNU.sparse.".getBytes(StandardCharsets.US_ASCII);
  private static final int BLOCK = 512;

  /** A file's own table: eight references and an offset. */
  private static final int LEAST_FILE_BYTES = 44;

  /** A record's own table, with its place in the vector. */
  private static final int LEAST_RECORD_BYTES = 16;

  private final byte[] bytes;
  private final FlatReader reader;
  private final long uncompressedBytes;

  private long recordsLeft;
  private long nameBytesLeft;
  private long nextHeader;
  private @Nullable String whyUnservable;

  TocParser(byte[] bytes, FlatReader reader, long uncompressedBytes) {
    this.bytes = bytes;
    this.reader = reader;
    this.uncompressedBytes = uncompressedBytes;
    recordsLeft = bytes.length / LEAST_RECORD_BYTES;
    nameBytesLeft = 8L * bytes.length;
  }

  /** Why these files can't be served, though they are well formed. */
  Optional<String> whyUnservable() {
    return Optional.ofNullable(whyUnservable);
  }

  Toc parse(int tocTable) throws MalformedZtocException {
    int vector = reader.vector(tocTable, ZtocFormat.TOC_FILES, 4, "the files");
    int count = reader.count(vector);
    if (count > bytes.length / LEAST_FILE_BYTES) {
      throw new MalformedZtocException("fewer than " + count + " files in so few bytes", vector);
    }
    Toc toc = new Toc(bytes, reader, count);
    for (int file = 0; file < count; file++) {
      int table = reader.tableIn(vector, file, "a file");
      strings(toc, file, table);
      numbers(toc, file, table);
      place(toc, file, table);
    }
    return toc;
  }

  private void strings(Toc toc, int file, int table) throws MalformedZtocException {
    int at = file * Toc.STRINGS;
    toc.strings[at + Toc.NAME] = name(table, ZtocFormat.FILE_NAME, "a name");
    toc.strings[at + Toc.LINK] = name(table, ZtocFormat.FILE_LINK, "a link's target");
    toc.strings[at + Toc.USER] = reader.vector(table, ZtocFormat.FILE_USER, 1, "a user's name");
    toc.strings[at + Toc.GROUP] = reader.vector(table, ZtocFormat.FILE_GROUP, 1, "a group's name");
    int type = reader.vector(table, ZtocFormat.FILE_TYPE, 1, "a type");
    toc.types[file] =
        EntryType.ofWord(bytes, type + 4, type + 4 + reader.count(type))
            .orElseThrow(
                () -> new MalformedZtocException("reg, dir, symlink or another type", type));
  }

  private int name(int table, int slot, String what) throws MalformedZtocException {
    int string = reader.vector(table, slot, 1, what);
    int length = reader.count(string);
    nameBytesLeft -= length;
    if (nameBytesLeft < 0) {
      throw new MalformedZtocException("names that do not overlap", string);
    }
    for (int i = string + 4; i < string + 4 + length; i++) {
      if (bytes[i] == 0) {
        whyUnservable = "a name has a NUL byte, at offset " + i + " of the zTOC";
        break;
      }
    }
    return string;
  }

  private void numbers(Toc toc, int file, int table) throws MalformedZtocException {
    int small = file * Toc.SMALL_NUMBERS;
    int large = file * Toc.NUMBERS;
    toc.smallNumbers[small + Toc.MODE] =
        (int) reader.int64(table, ZtocFormat.FILE_MODE, "a mode") & 07777;
    toc.smallNumbers[small + Toc.UID] = reader.int32(table, ZtocFormat.FILE_UID, "a user id");
    toc.smallNumbers[small + Toc.GID] = reader.int32(table, ZtocFormat.FILE_GID, "a group id");
    int text = reader.vector(table, ZtocFormat.FILE_TIME, 1, "a time");
    Timestamp time = Timestamp.parse(bytes, text + 4, reader.count(text));
    toc.smallNumbers[small + Toc.NANOS] = time.nanos();
    toc.numbers[large + Toc.SECONDS] = time.seconds();
    toc.numbers[large + Toc.MAJOR] = reader.int64(table, ZtocFormat.FILE_MAJOR, "a device number");
    toc.numbers[large + Toc.MINOR] = reader.int64(table, ZtocFormat.FILE_MINOR, "a device number");
  }

  /** Where the data is: behind a header of its own, and within the archive. */
  private void place(Toc toc, int file, int table) throws MalformedZtocException {
    boolean sparse = records(toc, file, table);
    long offset = reader.int64(table, ZtocFormat.FILE_OFFSET, "an offset");
    if (offset < nextHeader + BLOCK || offset > uncompressedBytes) {
      throw new MalformedZtocException(
          "the data of file "
              + file
              + " from "
              + (nextHeader + BLOCK)
              + " to "
              + uncompressedBytes
              + ", not "
              + offset,
          table);
    }
    long size = 0;
    if (toc.types[file].hasData()) {
      size = reader.int64(table, ZtocFormat.FILE_SIZE, "a size");
      if (size < 0 || (size > uncompressedBytes - offset && !sparse)) {
        throw new MalformedZtocException(
            "the " + size + " bytes of file " + file + " within the archive", table);
      }
    }
    toc.numbers[file * Toc.NUMBERS + Toc.OFFSET] = offset;
    toc.numbers[file * Toc.NUMBERS + Toc.LENGTH] = size;
    nextHeader = sparse ? offset : (offset + size + BLOCK - 1) & -BLOCK;
  }

  /** Whether the file's data is stored in pieces, so that its size says nothing of the archive. */
  private boolean records(Toc toc, int file, int table) throws MalformedZtocException {
    int vector = reader.vector(table, ZtocFormat.FILE_RECORDS, 4, "the records");
    toc.records[file] = vector;
    int count = reader.count(vector);
    recordsLeft -= count;
    if (recordsLeft < 0) {
      throw new MalformedZtocException("fewer records in so few bytes", vector);
    }
    boolean sparse = false;
    for (int i = 0; i < count; i++) {
      int record = reader.tableIn(vector, i, "a record");
      int key = reader.vector(record, ZtocFormat.RECORD_KEY, 1, "a key");
      reader.vector(record, ZtocFormat.RECORD_VALUE, 1, "a value");
      sparse |= Toc.startsWith(bytes, key + 4, reader.count(key), SPARSE);
    }
    if (sparse) {
      whyUnservable = "sparse file " + toc.nameText(file) + ": a zTOC has no map of its pieces";
    }
    return sparse;
  }
}
