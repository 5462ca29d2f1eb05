package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Copies a tree of a disk into memory, with all that {@code find -printf} can show. */
final class DiskTree {
  private final MemoryFileSystem files;
  private final Map<Object, MemoryFileSystem.Node> byInode = new HashMap<>();

  private DiskTree(MemoryFileSystem files) {
    this.files = files;
  }

  static void copy(Path directory, MemoryFileSystem files) throws Exception {
    DiskTree tree = new DiskTree(files);
    tree.describe(files.root, directory);
    tree.copyChildren(directory, files.root);
  }

  private void copyChildren(Path directory, MemoryFileSystem.Node to) throws Exception {
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
      for (Path child : children) {
        Object inode = Files.getAttribute(child, "unix:ino", LinkOption.NOFOLLOW_LINKS);
        MemoryFileSystem.Node known = byInode.get(inode);
        if (known != null) {
          files.link(to, child.getFileName().toString(), known);
          continue;
        }
        int mode = (int) Files.getAttribute(child, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        MemoryFileSystem.Node node = files.add(mode);
        files.link(to, child.getFileName().toString(), node);
        describe(node, child);
        byInode.put(inode, node);
        switch (mode & 0170000) {
          case MemoryFileSystem.DIRECTORY -> copyChildren(child, node);
          case MemoryFileSystem.FILE ->
              node.content = new MemoryFileSystem.Bytes(Files.readAllBytes(child));
          case MemoryFileSystem.LINK -> node.target = Files.readSymbolicLink(child).toString();
          default -> throw new IOException("what is " + child + "?");
        }
      }
    }
  }

  private void describe(MemoryFileSystem.Node node, Path path) throws Exception {
    Map<String, Object> all =
        Files.readAttributes(
            path, "unix:mode,uid,gid,nlink,size,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
    node.mode = (int) attribute(all, "mode");
    node.uid = (int) attribute(all, "uid");
    node.gid = (int) attribute(all, "gid");
    node.links = (int) attribute(all, "nlink");
    node.size = (long) attribute(all, "size");
    long nanos = ((FileTime) attribute(all, "lastModifiedTime")).to(TimeUnit.NANOSECONDS);
    node.seconds = Math.floorDiv(nanos, 1_000_000_000L);
    node.nanos = (int) Math.floorMod(nanos, 1_000_000_000L);
    if (!Files.isSymbolicLink(path)) {
      copyXattrs(node, path);
    }
  }

  private static Object attribute(Map<String, Object> all, String name) {
    Object value = all.get(name);
    if (value == null) {
      throw new IllegalStateException("no " + name);
    }
    return value;
  }

  /** The JDK shows the attributes of users only; getfattr shows all, in hexadecimal digits. */
  private static void copyXattrs(MemoryFileSystem.Node node, Path path) throws Exception {
    Process process =
        new ProcessBuilder("getfattr", "-d", "-m", "-", "-e", "hex", path.toString()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    for (String line : out.split("\n")) {
      int equals = line.indexOf('=');
      if (!line.startsWith("#") && !line.isEmpty()) {
        String hex = equals < 0 ? "" : line.substring(equals + 3);
        ByteBuffer value = ByteBuffer.allocate(hex.length() / 2);
        for (int i = 0; i < hex.length(); i += 2) {
          value.put((byte) Integer.parseInt(hex.substring(i, i + 2), 16));
        }
        byte[] bytes = new byte[value.capacity()];
        value.get(0, bytes);
        node.xattrs.put(equals < 0 ? line : line.substring(0, equals), bytes);
      }
    }
  }
}
