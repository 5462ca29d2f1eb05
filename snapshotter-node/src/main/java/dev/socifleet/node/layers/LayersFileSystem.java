package dev.socifleet.node.layers;

import dev.socifleet.fuse.Attributes;
import dev.socifleet.fuse.Errno;
import dev.socifleet.fuse.FileSystem;
import dev.socifleet.fuse.Name;
import dev.socifleet.fuse.Reply;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * All layers of the node as one file system: a directory a layer, named by its slot. Stateless: a
 * node's number is {@code slot << 32 | index in the node table}, and slots are never used again, so
 * a number means the same thing for ever or nothing any more (ESTALE).
 *
 * <p>Content never changes, so the kernel may believe what it was told for a year; only the layers'
 * own directories come and go.
 */
final class LayersFileSystem implements FileSystem {
  private static final long YEAR = 365L * 24 * 3600;
  private static final long ROOT_INO = 1;
  private static final int BLOCK = 4096;
  private static final int ROOT_MODE = NodeTableFormat.DIRECTORY | 0711;

  private static final byte[] OPAQUE_TRUSTED =
      "trusted.overlay.opaque".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OPAQUE_USER =
      "user.overlay.opaque".getBytes(StandardCharsets.US_ASCII);

  private final ByteBuffer dots =
      ByteBuffer.allocateDirect(2).put((byte) '.').put((byte) '.').asReadOnlyBuffer();
  private final ByteBuffer opaqueTrusted = direct(OPAQUE_TRUSTED);
  private final ByteBuffer opaqueUser = direct(OPAQUE_USER);

  /** The layers, sorted by slot; replaced as a whole. */
  private volatile LazyLayer[] layers = {};

  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).asReadOnlyBuffer();
  }

  /** Serves these layers from now on, sorted by slot. */
  void show(LazyLayer[] sorted) {
    layers = sorted;
  }

  private @Nullable LazyLayer layer(long node) {
    return bySlot(node >>> 32);
  }

  private @Nullable LazyLayer bySlot(long slot) {
    LazyLayer[] all = layers;
    int low = 0;
    int high = all.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int there = all[middle].slot;
      if (there == slot) {
        return all[middle];
      }
      if (there < slot) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  /** The layer of a node that it has; null answers ESTALE. */
  private @Nullable LazyLayer holder(long node, Reply reply) {
    LazyLayer layer = layer(node);
    if (layer == null || !layer.table.has((int) node)) {
      reply.sendError(Errno.STALE);
      return null;
    }
    return layer;
  }

  @Override
  public void lookup(long directory, Name name, Reply reply) {
    if (directory == ROOT) {
      LazyLayer layer = bySlot(slot(name));
      if (layer == null) {
        reply.sendNoEntry(0);
      } else {
        fill(layer, 0, reply.attributes());
        reply.sendEntry(0, YEAR);
      }
      return;
    }
    LazyLayer layer = holder(directory, reply);
    if (layer == null) {
      return;
    }
    if (!layer.table.isDirectory((int) directory)) {
      reply.sendError(Errno.NOTDIR);
      return;
    }
    int node = layer.table.find((int) directory, name);
    if (node == NodeTable.NONE) {
      reply.sendNoEntry(YEAR);
    } else {
      fill(layer, node, reply.attributes());
      reply.sendEntry(YEAR, YEAR);
    }
  }

  /** The number that a name writes without leading zeros, or -1. */
  private static long slot(Name name) {
    if (name.length() == 0 || name.length() > 10 || name.at(0) == '0') {
      return -1;
    }
    long slot = 0;
    for (int i = 0; i < name.length(); i++) {
      int digit = name.at(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      slot = 10 * slot + digit;
    }
    return slot;
  }

  private static void fill(LazyLayer layer, int node, Attributes attributes) {
    layer.table.fill(node, attributes);
    if (layer.table.isDirectory(node)) {
      attributes.size = BLOCK;
    }
    attributes.node = ((long) layer.slot << 32) | node;
    attributes.ino = layer.firstIno + node;
  }

  private void fillRoot(Attributes attributes) {
    attributes.clear();
    attributes.node = ROOT;
    attributes.ino = ROOT_INO;
    attributes.mode = ROOT_MODE;
    attributes.links = 2 + layers.length;
    attributes.size = BLOCK;
  }

  @Override
  public void attributes(long node, Reply reply) {
    if (node == ROOT) {
      fillRoot(reply.attributes());
      reply.sendAttributes(0);
      return;
    }
    LazyLayer layer = holder(node, reply);
    if (layer != null) {
      fill(layer, (int) node, reply.attributes());
      reply.sendAttributes(YEAR);
    }
  }

  @Override
  public void target(long node, Reply reply) {
    LazyLayer layer = holder(node, reply);
    if (layer == null) {
      return;
    }
    if (!layer.table.isSymbolicLink((int) node)) {
      reply.sendError(Errno.INVAL);
      return;
    }
    layer.table.target((int) node, reply.payload());
    reply.sendPayload();
  }

  @Override
  public void read(long node, long offset, int size, Reply reply) {
    LazyLayer layer = holder(node, reply);
    if (layer == null) {
      return;
    }
    if (!layer.table.isRegular((int) node) || offset < 0) {
      reply.sendError(Errno.INVAL);
      return;
    }
    int length = (int) Math.min(size, layer.table.size((int) node) - offset);
    if (length <= 0) {
      reply.payload();
      reply.sendPayload();
      return;
    }
    layer.read(layer.table.content((int) node) + offset, length, reply);
  }

  @Override
  public void children(long directory, long offset, Reply reply) {
    if (directory == ROOT) {
      rootChildren(offset, reply);
      return;
    }
    LazyLayer layer = holder(directory, reply);
    if (layer == null) {
      return;
    }
    NodeTable table = layer.table;
    int node = (int) directory;
    if (!table.isDirectory(node)) {
      reply.sendError(Errno.NOTDIR);
      return;
    }
    int count = table.childCount(node);
    boolean fits = addDots(offset, directory, reply);
    for (long at = Math.max(2, offset); fits && at < count + 2L; at++) {
      int index = (int) (at - 2);
      fill(layer, table.child(node, index), reply.attributes());
      fits =
          reply.addChild(
              table.names(),
              table.childNameOffset(node, index),
              table.childNameLength(node, index),
              at + 1,
              YEAR,
              YEAR);
    }
    reply.sendChildren();
  }

  private void rootChildren(long offset, Reply reply) {
    LazyLayer[] all = layers;
    boolean fits = addDots(offset, ROOT, reply);
    for (long at = Math.max(2, offset); fits && at < all.length + 2L; at++) {
      LazyLayer layer = all[(int) (at - 2)];
      fill(layer, 0, reply.attributes());
      byte[] name = Integer.toString(layer.slot).getBytes(StandardCharsets.US_ASCII);
      fits = reply.addChild(ByteBuffer.wrap(name), 0, name.length, at + 1, 0, YEAR);
    }
    reply.sendChildren();
  }

  /** "." and "..", whose numbers the kernel knows by itself. */
  private boolean addDots(long offset, long directory, Reply reply) {
    boolean fits = true;
    for (long at = offset; fits && at >= 0 && at < 2; at++) {
      Attributes attributes = reply.attributes();
      attributes.clear();
      attributes.mode = NodeTableFormat.DIRECTORY;
      attributes.ino = directory == ROOT ? ROOT_INO : Integer.MAX_VALUE;
      fits = reply.addChild(dots, 0, (int) at + 1, at + 1, 0, 0);
    }
    return fits;
  }

  @Override
  public void xattr(long node, Name name, Reply reply) {
    if (node == ROOT) {
      reply.sendError(Errno.NODATA);
      return;
    }
    LazyLayer layer = holder(node, reply);
    if (layer == null) {
      return;
    }
    if (isOpaqueAttribute(name)) {
      if (layer.table.isOpaque((int) node)) {
        reply.payload().put((byte) 'y');
        reply.sendPayload();
      } else {
        reply.sendError(Errno.NODATA);
      }
      return;
    }
    if (layer.table.xattr((int) node, name, reply.payload())) {
      reply.sendPayload();
    } else {
      reply.sendError(Errno.NODATA);
    }
  }

  private boolean isOpaqueAttribute(Name name) {
    return (name.length() == OPAQUE_TRUSTED.length
            && name.equals(opaqueTrusted, 0, OPAQUE_TRUSTED.length))
        || (name.length() == OPAQUE_USER.length && name.equals(opaqueUser, 0, OPAQUE_USER.length));
  }

  @Override
  public void xattrNames(long node, Reply reply) {
    if (node != ROOT) {
      LazyLayer layer = holder(node, reply);
      if (layer == null) {
        return;
      }
      layer.table.xattrNames((int) node, reply.payload());
    }
    reply.payload();
    reply.sendPayload();
  }

  @Override
  public void statistics(Reply reply) {
    long blocks = 0;
    long files = 1;
    for (LazyLayer layer : layers) {
      blocks += (layer.table.uncompressedSize() + BLOCK - 1) / BLOCK;
      files += layer.table.nodes();
    }
    reply.sendStatistics(blocks, BLOCK, files, 255);
  }
}
