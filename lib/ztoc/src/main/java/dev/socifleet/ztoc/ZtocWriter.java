package dev.socifleet.ztoc;

import com.google.flatbuffers.FlatBufferBuilder;
import dev.socifleet.ztoc.tar.TarEntry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
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
  private final FlatBufferBuilder builder;
  private final int version;
  private final int buildTool;

  ZtocWriter(String buildTool, int expectedBytes) {
    builder = new FlatBufferBuilder(expectedBytes);
    version = string(ZtocFormat.VERSION);
    this.buildTool = string(buildTool.getBytes(StandardCharsets.UTF_8));
  }

  /** What a file of the zTOC needs at most, in bytes. */
  static long bytesFor(TarEntry entry) {
    // Its table with a vtable of its own, six strings with length, NUL and padding, two vectors.
    long bytes = 160 + 6 * 8 + 8 + 32;
    bytes += entry.name().length + entry.linkName().length;
    bytes += entry.userName().length + entry.groupName().length;
    for (Map.Entry<byte[], byte[]> record : entry.pax().entrySet()) {
      bytes += 48 + record.getKey().length + record.getValue().length;
    }
    return bytes;
  }

  int file(TarEntry entry) {
    return file(
        entry.name(),
        entry.type().word().getBytes(StandardCharsets.US_ASCII),
        entry.linkName(),
        entry.userName(),
        entry.groupName(),
        new Timestamp(entry.seconds(), entry.nanos()).text(),
        entry.pax(),
        new long[] {entry.offset(), entry.size(), entry.mode(), entry.uid(), entry.gid()},
        new long[] {entry.deviceMajor(), entry.deviceMinor()});
  }

  /**
   * @param numbers data offset, size, mode, uid, gid
   * @param device major, minor
   */
  int file(
      byte[] name,
      byte[] type,
      byte[] linkName,
      byte[] userName,
      byte[] groupName,
      byte[] time,
      SortedMap<byte[], byte[]> records,
      long[] numbers,
      long[] device) {
    int nameAt = string(name);
    int typeAt = string(type);
    int linkAt = string(linkName);
    int userAt = string(userName);
    int groupAt = string(groupName);
    int timeAt = string(time);
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

  private int records(SortedMap<byte[], byte[]> records) {
    int[] tables = new int[records.size()];
    int n = 0;
    for (Map.Entry<byte[], byte[]> record : records.entrySet()) {
      int key = string(record.getKey());
      int value = string(record.getValue());
      builder.startTable(ZtocFormat.RECORD_SLOTS);
      builder.addOffset(ZtocFormat.RECORD_KEY, key, 0);
      builder.addOffset(ZtocFormat.RECORD_VALUE, value, 0);
      tables[n++] = builder.endTable();
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
