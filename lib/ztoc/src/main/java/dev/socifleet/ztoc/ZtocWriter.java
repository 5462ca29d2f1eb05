package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.EntryType;
import dev.socifleet.ztoc.tar.TarEntry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Writes the flatbuffer of a zTOC. Single use.
 *
 * <p>A flatbuffer grows from its end to its start, and every object lands where the one before left
 * off, so equal bytes need the same calls in the same order as the existing tool makes them:
 * strings of a file before its records before its table, files from the last to the first, slots in
 * the order given here. That is also why nothing here is shared or reordered, though the format
 * would allow it. Tables and slots are those of {@link ZtocFormat}.
 */
final class ZtocWriter {
  private static final int LONGEST_TYPE = "hardlink".length();
  private static final int LONGEST_TIME = "1970-01-01T00:00:00.123456789Z".length();

  /** By their ordinals. */
  private static final byte[][] TYPES =
      Arrays.stream(EntryType.values()).map(type -> ascii(type.word())).toArray(byte[][]::new);

  private final FlatWriter builder;
  private final int version;
  private final int buildTool;
  private Timestamp time = Timestamp.ZERO;
  private byte[] timeText = time.text();

  ZtocWriter(String buildTool, int expectedBytes) {
    builder = new FlatWriter(expectedBytes);
    version = string(ascii(ZtocFormat.VERSION));
    this.buildTool = string(buildTool.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** What a file of the zTOC needs at most, in bytes: within a few of what it will need. */
  static long bytesFor(TarEntry entry) {
    // Its table: the place of its vtable, 7 references, padding in front of three runs of int64;
    // and numbers, which are left out if they are 0.
    long bytes = 4 + 7 * 4 + 3 * 4;
    for (long number :
        new long[] {
          entry.offset(), entry.size(), entry.mode(), entry.deviceMajor(), entry.deviceMinor()
        }) {
      bytes += number == 0 ? 0 : 8;
    }
    bytes += ((int) entry.uid() == 0 ? 0 : 4) + ((int) entry.gid() == 0 ? 0 : 4);
    // The vector of records, and the file's place in the vector of files.
    bytes += 4 + 4;
    bytes += stringBytes(entry.name().length) + stringBytes(entry.linkName().length);
    bytes += stringBytes(entry.userName().length) + stringBytes(entry.groupName().length);
    bytes += stringBytes(LONGEST_TYPE) + stringBytes(LONGEST_TIME);
    for (Map.Entry<byte[], byte[]> record : entry.pax().entrySet()) {
      bytes += 4 + 12;
      bytes += stringBytes(record.getKey().length) + stringBytes(record.getValue().length);
    }
    return bytes;
  }

  /** Its length, its bytes, a NUL, aligned to 4. */
  private static long stringBytes(long length) {
    return 4 + ((length + 1 + 3) & -4);
  }

  /** The whole table of contents; empties the list. */
  int toc(FileList files) {
    int[] tables = new int[files.count()];
    int[] next = {tables.length};
    files.drainBackwards(file -> tables[--next[0]] = file(file));
    return toc(tables);
  }

  private int file(FileList.File file) {
    int name = text(file);
    int type = string(TYPES[file.type()]);
    int linkName = text(file);
    int userName = text(file);
    int groupName = text(file);
    int time = string(time(file.seconds(), file.nanos()));
    int[] records = new int[file.nextCount()];
    for (int i = 0; i < records.length; i++) {
      int key = text(file);
      int value = text(file);
      builder.startTable(ZtocFormat.RECORD_SLOTS);
      builder.reference(ZtocFormat.RECORD_KEY, key);
      builder.reference(ZtocFormat.RECORD_VALUE, value);
      records[i] = builder.endTable();
    }
    return file(
        new int[] {name, type, linkName, userName, groupName, time, builder.vector(records)},
        new long[] {file.offset(), file.size(), file.mode(), file.uid(), file.gid()},
        new long[] {file.deviceMajor(), file.deviceMinor()});
  }

  private int text(FileList.File file) {
    int length = file.nextText();
    return builder.string(file.block(), file.textAt(), length);
  }

  /** Neighbours in an archive often have the same. */
  private byte[] time(long seconds, int nanos) {
    if (seconds != time.seconds() || nanos != time.nanos()) {
      time = new Timestamp(seconds, nanos);
      timeText = time.text();
    }
    return timeText;
  }

  /** A text that a file refers to. */
  int string(byte[] text) {
    return builder.string(text);
  }

  /** No records. */
  int noRecords() {
    return builder.vector(new int[0]);
  }

  /**
   * @param texts places of name, type, link name, user name, group name, time; and of the vector of
   *     records
   * @param numbers data offset, size, mode, uid, gid
   * @param device major, minor
   */
  int file(int[] texts, long[] numbers, long[] device) {
    builder.startTable(ZtocFormat.FILE_SLOTS);
    builder.reference(ZtocFormat.FILE_NAME, texts[0]);
    builder.reference(ZtocFormat.FILE_TYPE, texts[1]);
    builder.int64(ZtocFormat.FILE_OFFSET, numbers[0]);
    builder.int64(ZtocFormat.FILE_SIZE, numbers[1]);
    builder.reference(ZtocFormat.FILE_LINK, texts[2]);
    builder.int64(ZtocFormat.FILE_MODE, numbers[2]);
    builder.int32(ZtocFormat.FILE_UID, (int) numbers[3]);
    builder.int32(ZtocFormat.FILE_GID, (int) numbers[4]);
    builder.reference(ZtocFormat.FILE_USER, texts[3]);
    builder.reference(ZtocFormat.FILE_GROUP, texts[4]);
    builder.reference(ZtocFormat.FILE_TIME, texts[5]);
    builder.int64(ZtocFormat.FILE_MAJOR, device[0]);
    builder.int64(ZtocFormat.FILE_MINOR, device[1]);
    builder.reference(ZtocFormat.FILE_RECORDS, texts[6]);
    return builder.endTable();
  }

  /** The offsets of {@link #file}, called from the last file to the first, in archive order. */
  int toc(int[] files) {
    int vector = builder.vector(files);
    builder.startTable(ZtocFormat.TOC_SLOTS);
    builder.reference(ZtocFormat.TOC_FILES, vector);
    return builder.endTable();
  }

  /**
   * @param fill writes exactly {@code checkpointBytes} bytes
   */
  byte[] finish(
      int toc,
      int checkpointBytes,
      Consumer<ByteBuffer> fill,
      List<byte[]> digests,
      int maxSpan,
      Compression compression,
      long compressedBytes,
      long uncompressedBytes) {
    int checkpoints = builder.vector(checkpointBytes, fill);
    int[] texts = new int[digests.size()];
    HexFormat hex = HexFormat.of();
    for (int i = 0; i < texts.length; i++) {
      texts[i] = string(ascii("sha256:" + hex.formatHex(digests.get(i))));
    }
    int spanDigests = builder.vector(texts);
    builder.startTable(ZtocFormat.INFO_SLOTS);
    builder.int32(ZtocFormat.INFO_MAX_SPAN, maxSpan);
    builder.reference(ZtocFormat.INFO_DIGESTS, spanDigests);
    builder.reference(ZtocFormat.INFO_CHECKPOINTS, checkpoints);
    builder.int8(ZtocFormat.INFO_ALGORITHM, compression.code(), Compression.GZIP.code());
    int info = builder.endTable();
    builder.startTable(ZtocFormat.ROOT_SLOTS);
    builder.reference(ZtocFormat.ROOT_VERSION, version);
    builder.reference(ZtocFormat.ROOT_BUILD_TOOL, buildTool);
    builder.reference(ZtocFormat.ROOT_TOC, toc);
    builder.int64(ZtocFormat.ROOT_COMPRESSED_SIZE, compressedBytes);
    builder.int64(ZtocFormat.ROOT_UNCOMPRESSED_SIZE, uncompressedBytes);
    builder.reference(ZtocFormat.ROOT_INFO, info);
    return builder.finish(builder.endTable());
  }

  /** What stands in the place of checkpoints for a layer that is not compressed. */
  static byte[] tarInfo(long spanSize, long size) {
    FlatWriter builder = new FlatWriter(64);
    builder.startTable(ZtocFormat.TAR_SLOTS);
    builder.int32(ZtocFormat.TAR_VERSION, ZtocFormat.TAR_VERSION_2);
    builder.int64(ZtocFormat.TAR_SPAN_SIZE, spanSize);
    builder.int64(ZtocFormat.TAR_SIZE, size);
    return builder.finish(builder.endTable());
  }
}
