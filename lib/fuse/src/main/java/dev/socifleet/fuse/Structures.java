package dev.socifleet.fuse;

import java.nio.ByteBuffer;

/** Writes the structures drawn in {@link Abi}. All fields, since the memory was used before. */
final class Structures {
  private static final int SECTOR = 512;
  private static final int BLOCK = 4096;

  private Structures() {}

  static int align(int bytes) {
    return (bytes + 7) & -8;
  }

  static void entry(
      ByteBuffer to, int at, Attributes of, long entrySeconds, long attributeSeconds) {
    to.putLong(at, of.node);
    to.putLong(at + 8, 0);
    to.putLong(at + 16, entrySeconds);
    to.putLong(at + 24, attributeSeconds);
    to.putLong(at + 32, 0);
    attributes(to, at + 40, of);
  }

  static void noEntry(ByteBuffer to, long entrySeconds) {
    for (int i = 0; i < Abi.ENTRY_OUT; i += Long.BYTES) {
      to.putLong(i, 0);
    }
    to.putLong(16, entrySeconds);
  }

  static void attributesAnswer(ByteBuffer to, Attributes of, long seconds) {
    to.putLong(0, seconds);
    to.putLong(8, 0);
    attributes(to, 16, of);
  }

  private static void attributes(ByteBuffer to, int at, Attributes of) {
    to.putLong(at, of.ino);
    to.putLong(at + 8, of.size);
    to.putLong(at + 16, (of.size + SECTOR - 1) / SECTOR);
    to.putLong(at + 24, of.seconds);
    to.putLong(at + 32, of.seconds);
    to.putLong(at + 40, of.seconds);
    to.putInt(at + 48, of.nanos);
    to.putInt(at + 52, of.nanos);
    to.putInt(at + 56, of.nanos);
    to.putInt(at + 60, of.mode);
    to.putInt(at + 64, of.links);
    to.putInt(at + 68, of.uid);
    to.putInt(at + 72, of.gid);
    to.putInt(at + 76, of.device);
    to.putInt(at + 80, BLOCK);
    to.putInt(at + 84, 0);
  }

  /** {@code fuse_dirent}: {@code d_type} is the type in the mode. */
  static void child(
      ByteBuffer to, int at, Attributes of, long next, ByteBuffer names, int from, int length) {
    int end = at + align(Abi.DIRENT + length);
    to.putLong(at, of.ino);
    to.putLong(at + 8, next);
    to.putInt(at + 16, length);
    to.putInt(at + 20, (of.mode & 0xF000) >>> 12);
    to.putLong(end - Long.BYTES, 0);
    to.put(at + Abi.DIRENT, names, from, length);
  }

  static void statistics(ByteBuffer to, long blocks, int blockSize, long files, int longestName) {
    for (int i = 0; i < Abi.STATFS_OUT; i += Long.BYTES) {
      to.putLong(i, 0);
    }
    to.putLong(0, blocks);
    to.putLong(24, files);
    to.putInt(40, blockSize);
    to.putInt(44, longestName);
    to.putInt(48, blockSize);
  }
}
