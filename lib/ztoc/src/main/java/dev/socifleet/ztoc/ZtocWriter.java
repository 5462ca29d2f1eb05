package dev.socifleet.ztoc;

import com.google.flatbuffers.FlatBufferBuilder;
import dev.socifleet.ztoc.tar.TarEntry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

  private final FlatBufferBuilder builder;
  private final int version;
  private final int buildTool;

  ZtocWriter(String buildTool, int expectedBytes) {
    builder = new FlatBufferBuilder(expectedBytes);
    version = string(ZtocFormat.VERSION);
    this.buildTool = string(buildTool.getBytes(StandardCharsets.UTF_8));
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
    return file(
        file.name(),
        ByteBuffer.wrap(file.type().word().getBytes(StandardCharsets.US_ASCII)),
        file.linkName(),
        file.userName(),
        file.groupName(),
        ByteBuffer.wrap(new Timestamp(file.seconds(), file.nanos()).text()),
        file.records(),
        new long[] {file.offset(), file.size(), file.mode(), file.uid(), file.gid()},
        new long[] {file.deviceMajor(), file.deviceMinor()});
  }

  /**
   * @param records keys and values in turn, keys in byte order
   * @param numbers data offset, size, mode, uid, gid
   * @param device major, minor
   */
  int file(
      ByteBuffer name,
      ByteBuffer type,
      ByteBuffer linkName,
      ByteBuffer userName,
      ByteBuffer groupName,
      ByteBuffer time,
      List<ByteBuffer> records,
      long[] numbers,
      long[] device) {
    int nameAt = builder.createString(name);
    int typeAt = builder.createString(type);
    int linkAt = builder.createString(linkName);
    int userAt = builder.createString(userName);
    int groupAt = builder.createString(groupName);
    int timeAt = builder.createString(time);
    int recordsAt = records(records);
    builder.startTable(ZtocFormat.FILE_SLOTS);
    builder.addOffset(ZtocFormat.FILE_NAME, nameAt, 0);
    builder.addOffset(ZtocFormat.FILE_TYPE, typeAt, 0);
    builder.addLong(ZtocFormat.FILE_OFFSET, numbers[0], 0);
    builder.addLong(ZtocFormat.FILE_SIZE, numbers[1], 0);
    builder.addOffset(ZtocFormat.FILE_LINK, linkAt, 0);
    builder.addLong(ZtocFormat.FILE_MODE, numbers[2], 0);
    builder.addInt(ZtocFormat.FILE_UID, (int) numbers[3], 0);
    builder.addInt(ZtocFormat.FILE_GID, (int) numbers[4], 0);
    builder.addOffset(ZtocFormat.FILE_USER, userAt, 0);
    builder.addOffset(ZtocFormat.FILE_GROUP, groupAt, 0);
    builder.addOffset(ZtocFormat.FILE_TIME, timeAt, 0);
    builder.addLong(ZtocFormat.FILE_MAJOR, device[0], 0);
    builder.addLong(ZtocFormat.FILE_MINOR, device[1], 0);
    builder.addOffset(ZtocFormat.FILE_RECORDS, recordsAt, 0);
    return builder.endTable();
  }

  private int records(List<ByteBuffer> records) {
    int[] tables = new int[records.size() / 2];
    for (int i = 0; i < tables.length; i++) {
      int key = builder.createString(records.get(2 * i));
      int value = builder.createString(records.get(2 * i + 1));
      builder.startTable(ZtocFormat.RECORD_SLOTS);
      builder.addOffset(ZtocFormat.RECORD_KEY, key, 0);
      builder.addOffset(ZtocFormat.RECORD_VALUE, value, 0);
      tables[i] = builder.endTable();
    }
    return vector(tables);
  }

  /** The offsets of {@link #file}, called from the last file to the first, in archive order. */
  int toc(int[] files) {
    int vector = vector(files);
    builder.startTable(ZtocFormat.TOC_SLOTS);
    builder.addOffset(ZtocFormat.TOC_FILES, vector, 0);
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
    fill.accept(builder.createUnintializedVector(1, checkpointBytes, 1));
    int checkpoints = builder.endVector();
    int[] texts = new int[digests.size()];
    HexFormat hex = HexFormat.of();
    for (int i = 0; i < texts.length; i++) {
      texts[i] = string("sha256:" + hex.formatHex(digests.get(i)));
    }
    int spanDigests = vector(texts);
    builder.startTable(ZtocFormat.INFO_SLOTS);
    builder.addInt(ZtocFormat.INFO_MAX_SPAN, maxSpan, 0);
    builder.addOffset(ZtocFormat.INFO_DIGESTS, spanDigests, 0);
    builder.addOffset(ZtocFormat.INFO_CHECKPOINTS, checkpoints, 0);
    builder.addByte(ZtocFormat.INFO_ALGORITHM, (byte) compression.code(), Compression.GZIP.code());
    int info = builder.endTable();
    builder.startTable(ZtocFormat.ROOT_SLOTS);
    builder.addOffset(ZtocFormat.ROOT_VERSION, version, 0);
    builder.addOffset(ZtocFormat.ROOT_BUILD_TOOL, buildTool, 0);
    builder.addOffset(ZtocFormat.ROOT_TOC, toc, 0);
    builder.addLong(ZtocFormat.ROOT_COMPRESSED_SIZE, compressedBytes, 0);
    builder.addLong(ZtocFormat.ROOT_UNCOMPRESSED_SIZE, uncompressedBytes, 0);
    builder.addOffset(ZtocFormat.ROOT_INFO, info, 0);
    builder.finish(builder.endTable());
    return builder.sizedByteArray();
  }

  /** What stands in the place of checkpoints for a layer that is not compressed. */
  static byte[] tarInfo(long spanSize, long size) {
    FlatBufferBuilder builder = new FlatBufferBuilder(64);
    builder.startTable(ZtocFormat.TAR_SLOTS);
    builder.addInt(ZtocFormat.TAR_VERSION, ZtocFormat.TAR_VERSION_2, 0);
    builder.addLong(ZtocFormat.TAR_SPAN_SIZE, spanSize, 0);
    builder.addLong(ZtocFormat.TAR_SIZE, size, 0);
    builder.finish(builder.endTable());
    return builder.sizedByteArray();
  }

  private int string(String text) {
    return string(text.getBytes(StandardCharsets.US_ASCII));
  }

  private int string(byte[] text) {
    return builder.createString(ByteBuffer.wrap(text));
  }

  private int vector(int[] offsets) {
    builder.startVector(4, offsets.length, 4);
    for (int i = offsets.length - 1; i >= 0; i--) {
      builder.addOffset(offsets[i]);
    }
    return builder.endVector();
  }
}
