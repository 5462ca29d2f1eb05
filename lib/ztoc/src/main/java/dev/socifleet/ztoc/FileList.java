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
 *  numbers: 9 * 8, 3 * 4  type 1  name, link, user, group: length 4, bytes  records 4  length 4
 *                                 each record: key, value                              of it all
 * </pre>
 */
@SuppressWarnings("EnumOrdinal") // never outlives the list
final class FileList {
  /** Takes the parts of a file out of the list; the buffers are valid during the call only. */
  interface Visitor {
    void file(File file);
  }

  /** Views into a block, in the order in which they are to be read. */
  record File(
      ByteBuffer name,
      EntryType type,
      ByteBuffer linkName,
      ByteBuffer userName,
      ByteBuffer groupName,
      List<ByteBuffer> records,
      long offset,
      long size,
      long mode,
      int uid,
      int gid,
      long seconds,
      int nanos,
      long deviceMajor,
      long deviceMinor) {}

  private static final int BLOCK = 256 * 1024;
  private static final int NUMBERS = 6 * 8 + 3 * 4 + 1;
  private static final EntryType[] TYPES = EntryType.values();

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
      for (int end = last.position(); end > 0; ) {
        int start = end - 4 - last.getInt(end - 4);
        visitor.file(read(last.duplicate().position(start)));
        end = start;
      }
    }
    block = ByteBuffer.allocate(0);
    count = 0;
  }

  private static File read(ByteBuffer from) {
    long offset = from.getLong();
    long size = from.getLong();
    long mode = from.getLong();
    long seconds = from.getLong();
    long major = from.getLong();
    long minor = from.getLong();
    int uid = from.getInt();
    int gid = from.getInt();
    int nanos = from.getInt();
    EntryType type = TYPES[from.get()];
    ByteBuffer name = next(from);
    ByteBuffer link = next(from);
    ByteBuffer user = next(from);
    ByteBuffer group = next(from);
    List<ByteBuffer> records = new ArrayList<>();
    for (int left = 2 * from.getInt(); left > 0; left--) {
      records.add(next(from));
    }
    return new File(
        name, type, link, user, group, records, offset, size, mode, uid, gid, seconds, nanos, major,
        minor);
  }

  private static ByteBuffer next(ByteBuffer from) {
    int length = from.getInt();
    ByteBuffer view = from.slice(from.position(), length);
    from.position(from.position() + length);
    return view;
  }
}
