package dev.socifleet.ztoc;

import dev.socifleet.ztoc.tar.EntryType;
import dev.socifleet.ztoc.tar.TarEntry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The files found so far, packed into blocks of bytes: about 90 bytes and its names for each, and
 * nothing for the garbage collector to follow. A zTOC is written from the last file to the first,
 * so they must wait till the layer's end. Not thread-safe.
 *
 * <pre>
 *  0       8     16    24       32            40            48   52   56     60    61
 *  offset  size  mode  seconds  device major  device minor  uid  gid  nanos  type  texts
 *
 *  texts: name, link name, user, group: length 4, bytes
 *         count of records 4, each a key and a value: length 4, bytes
 *  last:  length of it all 4
 * </pre>
 */
@SuppressWarnings("EnumOrdinal") // never outlives the list
final class FileList {
  /** Takes a file out of the list; it is valid during the call only. */
  interface Visitor {
    void file(File file);
  }

  /**
   * One file, where it lies in its block. Its texts are read one after the other: name, link name,
   * user name, group name, the number of its records, and of each key and value.
   */
  static final class File {
    private final ByteBuffer block;
    private int start;
    private int next;
    private int textAt;

    private File(ByteBuffer block) {
      this.block = block;
    }

    private void move(int to) {
      start = to;
      next = to + NUMBERS;
    }

    long offset() {
      return block.getLong(start);
    }

    long size() {
      return block.getLong(start + 8);
    }

    long mode() {
      return block.getLong(start + 16);
    }

    long seconds() {
      return block.getLong(start + 24);
    }

    long deviceMajor() {
      return block.getLong(start + 32);
    }

    long deviceMinor() {
      return block.getLong(start + 40);
    }

    int uid() {
      return block.getInt(start + 48);
    }

    int gid() {
      return block.getInt(start + 52);
    }

    int nanos() {
      return block.getInt(start + 56);
    }

    /** The ordinal of its {@link EntryType}. */
    int type() {
      return block.get(start + 60);
    }

    ByteBuffer block() {
      return block;
    }

    int nextCount() {
      int count = block.getInt(next);
      next += 4;
      return count;
    }

    /** The length of the next text, which is at {@link #textAt()} of the block. */
    int nextText() {
      int length = nextCount();
      textAt = next;
      next += length;
      return length;
    }

    int textAt() {
      return textAt;
    }
  }

  private static final int BLOCK = 256 * 1024;
  private static final int NUMBERS = 6 * 8 + 3 * 4 + 1;

  private final List<ByteBuffer> blocks = new ArrayList<>();
  private ByteBuffer block = ByteBuffer.allocate(0);
  private int count;

  int count() {
    return count;
  }

  void add(TarEntry entry) {
    int need = NUMBERS + 6 * 4;
    need += entry.name().length + entry.linkName().length;
    need += entry.userName().length + entry.groupName().length;
    for (Map.Entry<byte[], byte[]> record : entry.pax().entrySet()) {
      need += 8 + record.getKey().length + record.getValue().length;
    }
    if (block.remaining() < need) {
      block = ByteBuffer.allocate(Math.max(BLOCK, need));
      blocks.add(block);
    }
    block.putLong(entry.offset()).putLong(entry.size()).putLong(entry.mode());
    block.putLong(entry.seconds()).putLong(entry.deviceMajor()).putLong(entry.deviceMinor());
    block.putInt((int) entry.uid()).putInt((int) entry.gid()).putInt(entry.nanos());
    block.put((byte) entry.type().ordinal());
    put(entry.name());
    put(entry.linkName());
    put(entry.userName());
    put(entry.groupName());
    block.putInt(entry.pax().size());
    for (Map.Entry<byte[], byte[]> record : entry.pax().entrySet()) {
      put(record.getKey());
      put(record.getValue());
    }
    block.putInt(need - 4);
    count++;
  }

  private void put(byte[] bytes) {
    block.putInt(bytes.length).put(bytes);
  }

  /** Hands out all files, the last one first, and forgets them. */
  void drainBackwards(Visitor visitor) {
    while (!blocks.isEmpty()) {
      ByteBuffer last = blocks.removeLast();
      File file = new File(last);
      for (int end = last.position(); end > 0; end = file.start) {
        file.move(end - 4 - last.getInt(end - 4));
        visitor.file(file);
      }
    }
    block = ByteBuffer.allocate(0);
    count = 0;
  }
}
