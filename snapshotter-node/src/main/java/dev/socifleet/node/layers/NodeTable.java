package dev.socifleet.node.layers;

import dev.socifleet.fuse.Attributes;
import dev.socifleet.fuse.Name;
import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.Span;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A layer's {@link NodeTableFormat node table}, mapped. Immutable, thread-safe; its methods
 * allocate nothing except where they give an object. Nodes and spans that it has are never checked
 * again: the file was, when it was opened.
 */
final class NodeTable {
  static final int NONE = -1;

  private final MappedByteBuffer map;
  private final int nodes;
  private final int entriesAt;
  private final int spans;
  private final int spansAt;
  private final int stringsAt;
  private final int xattrsAt;
  private final int flags;
  private final long uncompressedSize;

  private NodeTable(MappedByteBuffer map) {
    this.map = map;
    nodes = map.getInt(NodeTableFormat.AT_NODES);
    spans = map.getInt(NodeTableFormat.AT_SPANS);
    flags = map.getInt(NodeTableFormat.AT_FLAGS);
    uncompressedSize = map.getLong(NodeTableFormat.AT_UNCOMPRESSED);
    entriesAt = NodeTableFormat.HEADER + nodes * NodeTableFormat.NODE;
    spansAt =
        entriesAt + (int) NodeTableFormat.entriesBytes(map.getInt(NodeTableFormat.AT_ENTRIES));
    stringsAt = spansAt + spans * NodeTableFormat.SPAN;
    xattrsAt = stringsAt + (int) map.getLong(NodeTableFormat.AT_STRINGS);
  }

  /** Maps a table and compares it with its checksums. */
  static NodeTable open(Path file) throws IOException {
    MappedByteBuffer map;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() < NodeTableFormat.HEADER || channel.size() > Integer.MAX_VALUE) {
        throw new IOException("node table " + file + " has " + channel.size() + " bytes");
      }
      map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
    map.order(ByteOrder.LITTLE_ENDIAN);
    if (map.getLong(0) != NodeTableFormat.MAGIC) {
      throw new IOException(file + " is not a node table");
    }
    int version = map.getInt(NodeTableFormat.AT_VERSION);
    if (version != NodeTableFormat.VERSION) {
      throw new IOException(
          "node table "
              + file
              + " has version "
              + version
              + ", this release knows "
              + NodeTableFormat.VERSION
              + ": run the release that made it");
    }
    if (crc(map, 0, NodeTableFormat.AT_HEADER_CRC) != map.getInt(NodeTableFormat.AT_HEADER_CRC)
        || crc(map, NodeTableFormat.HEADER, map.capacity())
            != map.getInt(NodeTableFormat.AT_BODY_CRC)) {
      throw new IOException("node table " + file + " is damaged: its checksum differs");
    }
    return new NodeTable(map);
  }

  private static int crc(ByteBuffer map, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(map.duplicate().position(from).limit(to));
    return (int) crc.getValue();
  }

  int nodes() {
    return nodes;
  }

  /** Whether the archive says something of its root directory. */
  boolean hasRootMember() {
    return (flags & NodeTableFormat.FLAG_ROOT_MEMBER) != 0;
  }

  Compression compression() {
    return (flags & NodeTableFormat.FLAG_GZIP) != 0 ? Compression.GZIP : Compression.UNCOMPRESSED;
  }

  long uncompressedSize() {
    return uncompressedSize;
  }

  boolean has(int node) {
    return node >= 0 && node < nodes;
  }

  private int at(int node) {
    return NodeTableFormat.HEADER + node * NodeTableFormat.NODE;
  }

  int mode(int node) {
    return map.getInt(at(node) + NodeTableFormat.NODE_MODE);
  }

  boolean isDirectory(int node) {
    return (mode(node) & NodeTableFormat.TYPE) == NodeTableFormat.DIRECTORY;
  }

  boolean isRegular(int node) {
    return (mode(node) & NodeTableFormat.TYPE) == NodeTableFormat.REGULAR;
  }

  boolean isSymbolicLink(int node) {
    return (mode(node) & NodeTableFormat.TYPE) == NodeTableFormat.SYMBOLIC_LINK;
  }

  boolean isOpaque(int node) {
    return (map.getInt(at(node) + NodeTableFormat.NODE_FLAGS) & NodeTableFormat.NODE_OPAQUE) != 0;
  }

  RootAttributes root() {
    int at = at(0);
    return new RootAttributes(
        mode(0) & 07777,
        map.getInt(at + NodeTableFormat.NODE_UID),
        map.getInt(at + NodeTableFormat.NODE_GID));
  }

  long size(int node) {
    return map.getLong(at(node) + NodeTableFormat.NODE_SIZE);
  }

  /** Uncompressed offset of a regular file's first byte. */
  long content(int node) {
    return map.getLong(at(node) + NodeTableFormat.NODE_CONTENT);
  }

  /** Fills in everything that the table knows; the caller adds the numbers of the mount. */
  void fill(int node, Attributes attributes) {
    int at = at(node);
    attributes.mode = map.getInt(at + NodeTableFormat.NODE_MODE);
    attributes.links = map.getInt(at + NodeTableFormat.NODE_LINKS);
    attributes.uid = map.getInt(at + NodeTableFormat.NODE_UID);
    attributes.gid = map.getInt(at + NodeTableFormat.NODE_GID);
    attributes.device = map.getInt(at + NodeTableFormat.NODE_DEVICE);
    attributes.nanos = map.getInt(at + NodeTableFormat.NODE_NANOS);
    attributes.seconds = map.getLong(at + NodeTableFormat.NODE_SECONDS);
    attributes.size = map.getLong(at + NodeTableFormat.NODE_SIZE);
  }

  /** Puts a symbolic link's target. */
  void target(int node, ByteBuffer to) {
    int length = (int) size(node);
    to.put(to.position(), map, stringsAt + (int) content(node), length);
    to.position(to.position() + length);
  }

  int childCount(int directory) {
    return map.getInt(at(directory) + NodeTableFormat.NODE_COUNT);
  }

  private int entry(int directory, int index) {
    int first = map.getInt(at(directory) + NodeTableFormat.NODE_FIRST);
    return entriesAt + (first + index) * NodeTableFormat.ENTRY;
  }

  int child(int directory, int index) {
    return map.getInt(entry(directory, index) + NodeTableFormat.ENTRY_NODE);
  }

  /** The buffer that holds the names. Only its absolute methods may be used. */
  ByteBuffer names() {
    return map;
  }

  int childNameOffset(int directory, int index) {
    return stringsAt + map.getInt(entry(directory, index) + NodeTableFormat.ENTRY_NAME);
  }

  int childNameLength(int directory, int index) {
    return map.getInt(entry(directory, index) + NodeTableFormat.ENTRY_LENGTH);
  }

  /** The node of a name in a directory, or {@link #NONE}. */
  int find(int directory, Name name) {
    int low = 0;
    int high = childCount(directory) - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order =
          compare(name, childNameOffset(directory, middle), childNameLength(directory, middle));
      if (order == 0) {
        return child(directory, middle);
      }
      if (order > 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return NONE;
  }

  private int compare(Name name, int offset, int length) {
    int common = Math.min(name.length(), length);
    for (int i = 0; i < common; i++) {
      int difference = (name.at(i) & 0xff) - (map.get(offset + i) & 0xff);
      if (difference != 0) {
        return difference;
      }
    }
    return name.length() - length;
  }

  /** Puts an extended attribute's value; false if the node has none of this name. */
  boolean xattr(int node, Name name, ByteBuffer to) {
    int at = xattrs(node);
    if (at == NONE) {
      return false;
    }
    int left = map.getInt(at);
    at += 4;
    for (; left > 0; left--) {
      int nameLength = map.getShort(at) & 0xffff;
      int valueLength = map.getInt(at + 2);
      if (name.length() == nameLength && name.equals(map, at + 6, nameLength)) {
        to.put(to.position(), map, at + 6 + nameLength, valueLength);
        to.position(to.position() + valueLength);
        return true;
      }
      at += 6 + nameLength + valueLength;
    }
    return false;
  }

  /** Puts the names of a node's extended attributes, as many as fit, each with a NUL byte. */
  void xattrNames(int node, ByteBuffer to) {
    int at = xattrs(node);
    if (at == NONE) {
      return;
    }
    int left = map.getInt(at);
    at += 4;
    for (; left > 0; left--) {
      int nameLength = map.getShort(at) & 0xffff;
      if (to.remaining() <= nameLength) {
        return;
      }
      to.put(to.position(), map, at + 6, nameLength);
      to.position(to.position() + nameLength);
      to.put((byte) 0);
      at += 6 + nameLength + map.getInt(at + 2);
    }
  }

  private int xattrs(int node) {
    int offset = map.getInt(at(node) + NodeTableFormat.NODE_XATTRS);
    return offset < 0 ? NONE : xattrsAt + offset;
  }

  int spanCount() {
    return spans;
  }

  long spanStart(int span) {
    return map.getLong(spansAt + span * NodeTableFormat.SPAN + NodeTableFormat.SPAN_START);
  }

  long spanEnd(int span) {
    return map.getLong(spansAt + span * NodeTableFormat.SPAN + NodeTableFormat.SPAN_END);
  }

  /** The span that has the byte at an uncompressed offset. */
  int spanAt(long offset) {
    int low = 0;
    int high = spans - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (spanStart(middle) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** Where in the zTOC the span's window is, or -1. */
  long window(int span) {
    return map.getLong(spansAt + span * NodeTableFormat.SPAN + NodeTableFormat.SPAN_WINDOW);
  }

  Span span(int span) {
    int at = spansAt + span * NodeTableFormat.SPAN;
    byte[] sha256 = new byte[32];
    map.get(at + NodeTableFormat.SPAN_SHA256, sha256);
    return new Span(
        span,
        map.getLong(at + NodeTableFormat.SPAN_COMPRESSED_START),
        map.getLong(at + NodeTableFormat.SPAN_COMPRESSED_END),
        spanStart(span),
        spanEnd(span),
        map.getInt(at + NodeTableFormat.SPAN_BITS),
        sha256);
  }
}
