package dev.socifleet.node.layers;

/**
 * The file that holds a layer's nodes, written once and mapped for reading. Little-endian.
 *
 * <pre>
 *  0  8  magic "SOCINODE"
 *  8  4  version, 1
 * 12  4  number of nodes n
 * 16  4  number of entries e
 * 20  4  number of spans s
 * 24  4  flags: 1 the archive has a member for its root, 2 the layer is gzip
 * 28  4  CRC-32C of everything from byte 64 on
 * 32  8  uncompressed size of the archive
 * 40  8  bytes of the strings
 * 48  8  bytes of the extended attributes
 * 56  4  CRC-32C of the bytes 0 to 55
 * 60  4  0
 * 64     n nodes of 64 bytes
 *        e entries of 12 bytes, then up to 4 bytes 0
 *        s spans of 80 bytes
 *        strings: names and the targets of symbolic links
 *        extended attributes
 *
 * node                              entry                      span
 *  0  4  st_mode                    0  4  node                  0  8  compressed start
 *  4  4  links                      4  4  name, in strings      8  8  compressed end
 *  8  4  uid                        8  4  its length           16  8  uncompressed start
 * 12  4  gid                                                   24  8  uncompressed end
 * 16  4  device                                                32  8  window, in the zTOC; -1 none
 * 20  4  modified, nanoseconds                                 40  4  bits
 * 24  8  modified, seconds                                     44  4  0
 * 32  8  size                                                  48 32  SHA-256 of compressed bytes
 * 40  8  content: uncompressed offset; target, in strings
 * 48  4  first entry (directories)
 * 52  4  number of entries (directories)
 * 56  4  extended attributes, in their part; -1 none
 * 60  4  flags: 1 opaque
 *
 * extended attributes of a node: count (4), then each: length of name (2), length of value (4), name, value
 * </pre>
 *
 * Node 0 is the root. A directory's entries are sorted by the unsigned bytes of their names.
 */
final class NodeTableFormat {
  static final long MAGIC = 0x45444F4E49434F53L;
  static final int VERSION = 1;

  static final int HEADER = 64;
  static final int NODE = 64;
  static final int ENTRY = 12;
  static final int SPAN = 80;

  static final int AT_VERSION = 8;
  static final int AT_NODES = 12;
  static final int AT_ENTRIES = 16;
  static final int AT_SPANS = 20;
  static final int AT_FLAGS = 24;
  static final int AT_BODY_CRC = 28;
  static final int AT_UNCOMPRESSED = 32;
  static final int AT_STRINGS = 40;
  static final int AT_XATTRS = 48;
  static final int AT_HEADER_CRC = 56;

  static final int FLAG_ROOT_MEMBER = 1;
  static final int FLAG_GZIP = 2;

  static final int NODE_MODE = 0;
  static final int NODE_LINKS = 4;
  static final int NODE_UID = 8;
  static final int NODE_GID = 12;
  static final int NODE_DEVICE = 16;
  static final int NODE_NANOS = 20;
  static final int NODE_SECONDS = 24;
  static final int NODE_SIZE = 32;
  static final int NODE_CONTENT = 40;
  static final int NODE_FIRST = 48;
  static final int NODE_COUNT = 52;
  static final int NODE_XATTRS = 56;
  static final int NODE_FLAGS = 60;

  static final int NODE_OPAQUE = 1;

  static final int ENTRY_NODE = 0;
  static final int ENTRY_NAME = 4;
  static final int ENTRY_LENGTH = 8;

  static final int SPAN_COMPRESSED_START = 0;
  static final int SPAN_COMPRESSED_END = 8;
  static final int SPAN_START = 16;
  static final int SPAN_END = 24;
  static final int SPAN_WINDOW = 32;
  static final int SPAN_BITS = 40;
  static final int SPAN_SHA256 = 48;

  // st_mode, include/uapi/linux/stat.h
  static final int TYPE = 0170000;
  static final int SYMBOLIC_LINK = 0120000;
  static final int REGULAR = 0100000;
  static final int BLOCK_DEVICE = 0060000;
  static final int DIRECTORY = 0040000;
  static final int CHARACTER_DEVICE = 0020000;
  static final int FIFO = 0010000;

  private NodeTableFormat() {}

  /** The entries' part, with what aligns the spans to 8 bytes. */
  static long entriesBytes(int entries) {
    return ((long) entries * ENTRY + 7) & -8;
  }
}
