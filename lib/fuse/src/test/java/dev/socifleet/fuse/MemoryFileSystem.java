package dev.socifleet.fuse;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A tree in memory. Node numbers are positions in a list, so that {@link FileSystem#ROOT} is the
 * first. Filled before it is mounted; after that only what a method says may change.
 */
class MemoryFileSystem implements FileSystem {
  static final long FOREVER = 365L * 24 * 3600;
  static final int DIRECTORY = 0040000;
  static final int FILE = 0100000;
  static final int LINK = 0120000;
  static final int CHARACTER_DEVICE = 0020000;

  /** One node; directories know their entries by name. */
  static final class Node {
    final long number;
    int mode;
    final Map<String, Node> children = new LinkedHashMap<>();
    final List<byte[]> names = new ArrayList<>();
    final List<Node> entries = new ArrayList<>();
    final Map<String, byte[]> xattrs = new LinkedHashMap<>();
    @Nullable Content content;
    String target = "";
    int links = 1;
    long size;
    int uid;
    int gid;
    int device;
    volatile long seconds = 1_700_000_000L;
    int nanos = 123_456_789;

    Node(long number, int mode) {
      this.number = number;
      this.mode = mode;
    }

    boolean isDirectory() {
      return (mode & 0170000) == DIRECTORY;
    }
  }

  /** File content of a size. */
  interface Content {
    long size();

    void read(long offset, ByteBuffer to, int size);
  }

  static final class Bytes implements Content {
    private final byte[] bytes;

    Bytes(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void read(long offset, ByteBuffer to, int size) {
      to.put(bytes, (int) offset, size);
    }
  }

  /** A large file whose 8-byte words are their own positions, scattered. */
  record Scattered(long size) implements Content {
    static long word(long index) {
      long x = index * 0x9E3779B97F4A7C15L;
      return x ^ (x >>> 29);
    }

    static byte at(long offset) {
      return (byte) (word(offset >>> 3) >>> (8 * (7 - (offset & 7))));
    }

    @Override
    public void read(long offset, ByteBuffer to, int size) {
      long at = offset;
      long end = offset + size;
      while (at < end && (at & 7) != 0) {
        to.put(at(at++));
      }
      while (at + 8 <= end) {
        to.put((byte) (word(at >>> 3) >>> 56));
        for (int shift = 48; shift >= 0; shift -= 8) {
          to.put((byte) (word(at >>> 3) >>> shift));
        }
        at += 8;
      }
      while (at < end) {
        to.put(at(at++));
      }
    }
  }

  private final List<Node> nodes = new ArrayList<>();
  final Node root;

  /** How long answers may be believed. */
  volatile long timeout = FOREVER;

  MemoryFileSystem() {
    nodes.add(new Node(0, 0));
    root = add(DIRECTORY | 0755);
  }

  Node add(int mode) {
    Node node = new Node(nodes.size(), mode);
    nodes.add(node);
    return node;
  }

  Node node(long number) {
    return nodes.get((int) number);
  }

  Node link(Node parent, String name, Node node) {
    parent.children.put(name, node);
    parent.names.add(name.getBytes(StandardCharsets.UTF_8));
    parent.entries.add(node);
    return node;
  }

  Node directory(Node parent, String name) {
    return link(parent, name, add(DIRECTORY | 0755));
  }

  Node file(Node parent, String name, String text) {
    return file(parent, name, 0644, new Bytes(text.getBytes(StandardCharsets.UTF_8)));
  }

  Node file(Node parent, String name, int permissions, Content content) {
    Node node = add(FILE | permissions);
    node.content = content;
    return link(parent, name, node);
  }

  Node symlink(Node parent, String name, String target) {
    Node node = add(LINK | 0777);
    node.target = target;
    return link(parent, name, node);
  }

  Node device(Node parent, String name, int major, int minor) {
    Node node = add(CHARACTER_DEVICE | 0666);
    node.device = (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12);
    return link(parent, name, node);
  }

  private static void fill(Attributes to, Node node) {
    to.clear();
    to.node = node.number;
    to.ino = node.number;
    to.mode = node.mode;
    to.links = node.links;
    to.uid = node.uid;
    to.gid = node.gid;
    to.device = node.device;
    Content content = node.content;
    to.size = content != null ? content.size() : Math.max(node.size, node.target.length());
    to.seconds = node.seconds;
    to.nanos = node.nanos;
  }

  @Override
  public void lookup(long directory, Name name, Reply reply) {
    Node parent = node(directory);
    for (int i = 0; i < parent.names.size(); i++) {
      byte[] child = parent.names.get(i);
      if (child.length == name.length() && matches(child, name)) {
        fill(reply.attributes(), parent.entries.get(i));
        reply.sendEntry(timeout, timeout);
        return;
      }
    }
    reply.sendNoEntry(timeout);
  }

  private static boolean matches(byte[] child, Name name) {
    for (int i = 0; i < child.length; i++) {
      if (child[i] != name.at(i)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void attributes(long node, Reply reply) {
    fill(reply.attributes(), node(node));
    reply.sendAttributes(timeout);
  }

  @Override
  public void target(long node, Reply reply) {
    reply.payload().put(node(node).target.getBytes(StandardCharsets.UTF_8));
    reply.sendPayload();
  }

  @Override
  public void read(long node, long offset, int size, Reply reply) {
    Content content = node(node).content;
    if (content == null) {
      reply.sendError(Errno.INVAL);
      return;
    }
    int length = (int) Math.max(0, Math.min(size, content.size() - offset));
    if (length > 0) {
      content.read(offset, reply.payload(), length);
    }
    reply.sendPayload();
  }

  @Override
  public void children(long directory, long offset, Reply reply) {
    Node parent = node(directory);
    for (int i = (int) offset; i < parent.names.size() + 2; i++) {
      Node child = i < 2 ? parent : parent.entries.get(i - 2);
      byte[] name =
          i < 2
              ? "..".substring(0, i + 1).getBytes(StandardCharsets.UTF_8)
              : parent.names.get(i - 2);
      fill(reply.attributes(), child);
      if (i < 2) {
        reply.attributes().node = 0;
      }
      if (!reply.addChild(ByteBuffer.wrap(name), 0, name.length, i + 1, timeout, timeout)) {
        break;
      }
    }
    reply.sendChildren();
  }

  @Override
  public void xattr(long node, Name name, Reply reply) {
    byte[] value = node(node).xattrs.get(name.toString());
    if (value == null) {
      reply.sendError(Errno.NODATA);
    } else {
      reply.payload().put(value);
      reply.sendPayload();
    }
  }

  @Override
  public void xattrNames(long node, Reply reply) {
    for (String name : node(node).xattrs.keySet()) {
      if (!name.startsWith("trusted.overlay.")) {
        reply.payload().put(name.getBytes(StandardCharsets.UTF_8)).put((byte) 0);
      }
    }
    reply.sendPayload();
  }

  @Override
  public void statistics(Reply reply) {
    reply.sendStatistics(12345, 4096, nodes.size() - 1L, 255);
  }

  /** The bytes of a {@link Scattered} file. */
  static byte[] scattered(long offset, int size) {
    ByteBuffer bytes = ByteBuffer.allocate(size);
    new Scattered(offset + size).read(offset, bytes, size);
    return Arrays.copyOf(bytes.array(), size);
  }
}
