package dev.socifleet.node.layers;

import dev.socifleet.ztoc.Compression;
import dev.socifleet.ztoc.PaxRecord;
import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.tar.EntryType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Writes a layer's {@link NodeTableFormat node table}. One thread, single use. The same zTOC gives
 * the same file.
 */
final class NodeTableWriter {
  private static final int LONGEST_TARGET = 4095;

  /** XATTR_SIZE_MAX and XATTR_NAME_MAX of include/uapi/linux/limits.h. */
  private static final int LARGEST_XATTR = 65536;

  private static final int LONGEST_XATTR_NAME = 255;
  private static final int BUFFER = 1 << 16;

  /** A layer with a span larger than this is unpacked: its compressed bytes are held in memory. */
  static final long LARGEST_SPAN = 64L << 20;

  private final Ztoc ztoc;
  private final Toc toc;
  private final LayerTree tree;
  private final ByteArrayOutputStream strings = new ByteArrayOutputStream();
  private final ByteArrayOutputStream xattrs = new ByteArrayOutputStream();

  /** Nodes of the tree in their final order, and the final number of each. */
  private int[] order = new int[0];

  private int[] number = new int[0];
  private int[] entries = new int[0];
  private int[] firstEntry = new int[0];
  private int[] childCount = new int[0];
  private int[] links = new int[0];

  private NodeTableWriter(Ztoc ztoc) throws UnservableLayerException {
    this.ztoc = ztoc;
    this.toc = ztoc.toc();
    this.tree = LayerTree.of(toc);
  }

  /**
   * Writes and syncs the file.
   *
   * @return the number of nodes
   */
  static int write(Ztoc ztoc, Path file) throws IOException, UnservableLayerException {
    NodeTableWriter writer = new NodeTableWriter(ztoc);
    for (int i = 0; i < ztoc.spanCount(); i++) {
      Span span = ztoc.span(i);
      if (Math.max(span.compressedLength(), span.uncompressedLength()) > LARGEST_SPAN) {
        throw new UnservableLayerException(
            "its span " + i + " is larger than " + (LARGEST_SPAN >> 20) + " MiB");
      }
    }
    writer.arrange();
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      writer.write(out);
      out.force(true);
    }
    return writer.order.length;
  }

  /** Numbers the nodes breadth first and sorts each directory's entries. */
  private void arrange() {
    int[] start = new int[tree.nodeCount() + 1];
    for (int entry = 0; entry < tree.entryCount(); entry++) {
      start[tree.directoryOf(entry) + 1]++;
    }
    for (int node = 0; node < tree.nodeCount(); node++) {
      start[node + 1] += start[node];
    }
    Integer[] byDirectory = new Integer[tree.entryCount()];
    int[] next = Arrays.copyOf(start, start.length);
    for (int entry = 0; entry < tree.entryCount(); entry++) {
      byDirectory[next[tree.directoryOf(entry)]++] = entry;
    }
    number = new int[tree.nodeCount()];
    Arrays.fill(number, LayerTree.NONE);
    order = new int[tree.nodeCount()];
    firstEntry = new int[tree.nodeCount()];
    childCount = new int[tree.nodeCount()];
    links = new int[tree.nodeCount()];
    entries = new int[tree.entryCount()];
    number[LayerTree.ROOT] = 0;
    links[LayerTree.ROOT] = 2;
    int nodes = 1;
    int written = 0;
    for (int i = 0; i < nodes; i++) {
      int node = order[i];
      if (!tree.isDirectory(node)) {
        continue;
      }
      int from = start[node];
      int to = start[node + 1];
      Arrays.sort(byDirectory, from, to, tree::compareNames);
      firstEntry[node] = written;
      childCount[node] = to - from;
      for (int k = from; k < to; k++) {
        int child = tree.nodeOf(byDirectory[k]);
        entries[written++] = byDirectory[k];
        if (number[child] == LayerTree.NONE) {
          number[child] = nodes;
          order[nodes++] = child;
        }
        if (tree.isDirectory(child)) {
          links[child] = 2;
          links[node]++;
        } else {
          links[child]++;
        }
      }
    }
    order = Arrays.copyOf(order, nodes);
    entries = Arrays.copyOf(entries, written);
  }

  private void write(FileChannel out) throws IOException, UnservableLayerException {
    CRC32C crc = new CRC32C();
    out.position(NodeTableFormat.HEADER);
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    for (int node : order) {
      flushUnless(buffer, NodeTableFormat.NODE, out, crc);
      putNode(buffer, node);
    }
    for (int entry : entries) {
      flushUnless(buffer, NodeTableFormat.ENTRY, out, crc);
      byte[] name = tree.nameOf(entry);
      buffer.putInt(number[tree.nodeOf(entry)]).putInt(strings.size()).putInt(name.length);
      strings.writeBytes(name);
    }
    flushUnless(buffer, 8, out, crc);
    for (long at = (long) entries.length * NodeTableFormat.ENTRY; (at & 7) != 0; at++) {
      buffer.put((byte) 0);
    }
    for (int i = 0; i < ztoc.spanCount(); i++) {
      flushUnless(buffer, NodeTableFormat.SPAN, out, crc);
      putSpan(buffer, ztoc.span(i));
    }
    flush(buffer, out, crc);
    byte[] text = strings.toByteArray();
    byte[] attributes = xattrs.toByteArray();
    flush(ByteBuffer.wrap(text).position(text.length), out, crc);
    flush(ByteBuffer.wrap(attributes).position(attributes.length), out, crc);
    if (out.position() > Integer.MAX_VALUE) {
      throw new UnservableLayerException("the table of its files takes more than 2 GiB");
    }
    writeHeader(out, (int) crc.getValue(), text.length, attributes.length);
  }

  private void writeHeader(FileChannel out, int bodyCrc, int stringBytes, int xattrBytes)
      throws IOException {
    int flags = tree.file(LayerTree.ROOT) >= 0 ? NodeTableFormat.FLAG_ROOT_MEMBER : 0;
    if (ztoc.compression() == Compression.GZIP) {
      flags |= NodeTableFormat.FLAG_GZIP;
    }
    ByteBuffer header =
        ByteBuffer.allocate(NodeTableFormat.HEADER)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(NodeTableFormat.MAGIC)
            .putInt(NodeTableFormat.VERSION)
            .putInt(order.length)
            .putInt(entries.length)
            .putInt(ztoc.spanCount())
            .putInt(flags)
            .putInt(bodyCrc)
            .putLong(ztoc.uncompressedSize())
            .putLong(stringBytes)
            .putLong(xattrBytes);
    CRC32C crc = new CRC32C();
    crc.update(header.array(), 0, NodeTableFormat.AT_HEADER_CRC);
    header.putInt((int) crc.getValue()).putInt(0).flip();
    for (int at = 0; header.hasRemaining(); ) {
      at += out.write(header, at);
    }
  }

  private void putNode(ByteBuffer buffer, int node) throws UnservableLayerException {
    int file = tree.file(node);
    int flags = tree.isOpaque(node) ? NodeTableFormat.NODE_OPAQUE : 0;
    if (file < 0) {
      int mode =
          file == LayerTree.WHITEOUT
              ? NodeTableFormat.CHARACTER_DEVICE
              : NodeTableFormat.DIRECTORY | 0755;
      buffer.putInt(mode).putInt(links[node]).putInt(0).putInt(0).putInt(0).putInt(0);
      buffer.putLong(0).putLong(0).putLong(0);
      buffer.putInt(firstEntry[node]).putInt(childCount[node]).putInt(-1).putInt(flags);
      return;
    }
    buffer
        .putInt(mode(file))
        .putInt(links[node])
        .putInt(toc.uid(file))
        .putInt(toc.gid(file))
        .putInt(device(file))
        .putInt(toc.modifiedNanos(file))
        .putLong(toc.modifiedSeconds(file));
    if (toc.type(file) == EntryType.SYMBOLIC_LINK) {
      byte[] target = toc.linkName(file);
      if (target.length == 0 || target.length > LONGEST_TARGET) {
        throw new UnservableLayerException(
            "symbolic link " + toc.nameText(file) + " has a target of " + target.length + " bytes");
      }
      buffer.putLong(target.length).putLong(strings.size());
      strings.writeBytes(target);
    } else {
      buffer.putLong(toc.length(file)).putLong(toc.offset(file));
    }
    buffer.putInt(firstEntry[node]).putInt(childCount[node]).putInt(xattrsOf(file)).putInt(flags);
  }

  private int mode(int file) {
    int type =
        switch (toc.type(file)) {
          case REGULAR, HARD_LINK -> NodeTableFormat.REGULAR;
          case SYMBOLIC_LINK -> NodeTableFormat.SYMBOLIC_LINK;
          case CHARACTER_DEVICE -> NodeTableFormat.CHARACTER_DEVICE;
          case BLOCK_DEVICE -> NodeTableFormat.BLOCK_DEVICE;
          case DIRECTORY -> NodeTableFormat.DIRECTORY;
          case FIFO -> NodeTableFormat.FIFO;
        };
    return type | (type == NodeTableFormat.SYMBOLIC_LINK ? 0777 : toc.mode(file));
  }

  /** The kernel's new_encode_dev: 12 bits of major, 20 of minor. */
  private int device(int file) throws UnservableLayerException {
    EntryType type = toc.type(file);
    if (type != EntryType.CHARACTER_DEVICE && type != EntryType.BLOCK_DEVICE) {
      return 0;
    }
    long major = toc.deviceMajor(file);
    long minor = toc.deviceMinor(file);
    if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
      throw new UnservableLayerException(
          "device " + toc.nameText(file) + " has the number " + major + ":" + minor);
    }
    return (int) ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12));
  }

  private int xattrsOf(int file) throws UnservableLayerException {
    List<PaxRecord> kept =
        toc.xattrs(file).stream().filter(attribute -> !isOverlays(attribute.keyText())).toList();
    if (kept.isEmpty()) {
      return -1;
    }
    int at = xattrs.size();
    putInt(kept.size());
    for (PaxRecord attribute : kept) {
      if (attribute.key().length > LONGEST_XATTR_NAME || attribute.value().length > LARGEST_XATTR) {
        throw new UnservableLayerException(
            "an extended attribute of "
                + toc.nameText(file)
                + " is larger than Linux lets it be: "
                + attribute.value().length
                + " bytes");
      }
      xattrs.write(attribute.key().length);
      xattrs.write(attribute.key().length >>> 8);
      putInt(attribute.value().length);
      xattrs.writeBytes(attribute.key());
      xattrs.writeBytes(attribute.value());
    }
    return at;
  }

  private void putInt(int value) {
    for (int shift = 0; shift < 32; shift += 8) {
      xattrs.write(value >>> shift);
    }
  }

  /** What overlayfs keeps for itself: a layer that brought it could show foreign files. */
  private static boolean isOverlays(String name) {
    return name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.");
  }

  private void putSpan(ByteBuffer buffer, Span span) {
    buffer
        .putLong(span.compressedStart())
        .putLong(span.compressedEnd())
        .putLong(span.uncompressedStart())
        .putLong(span.uncompressedEnd())
        .putLong(ztoc.windowOffset(span.index()))
        .putInt(span.bits())
        .putInt(0)
        .put(span.sha256());
  }

  private static void flushUnless(ByteBuffer buffer, int room, FileChannel out, CRC32C crc)
      throws IOException {
    if (buffer.remaining() < room) {
      flush(buffer, out, crc);
    }
  }

  private static void flush(ByteBuffer buffer, FileChannel out, CRC32C crc) throws IOException {
    buffer.flip();
    crc.update(buffer.duplicate());
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
    buffer.clear();
  }
}
