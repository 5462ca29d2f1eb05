package dev.socifleet.fuse;

/**
 * A read-only file system as the kernel asks for it (Linux, include/uapi/linux/fuse.h). Nodes are
 * numbers that the file system gives out and keeps for ever: there is no forgetting, opening or
 * closing, so a successor can go on where a server died. The root is node {@value #ROOT}.
 *
 * <p>Called by the session's threads, several at once. Each call answers by exactly one {@code
 * send…} of its reply, now, or after {@link Reply#defer} later and from any thread. A call that
 * throws is answered with EIO. Nothing here may touch the file system's own mount.
 */
public interface FileSystem {
  /** The node number of the mount's root directory (FUSE_ROOT_ID). */
  long ROOT = 1;

  /** The entry of a name in a directory: {@code sendEntry}, {@code sendNoEntry}, or an error. */
  void lookup(long directory, Name name, Reply reply);

  /** A node's attributes: {@code sendAttributes}. */
  void attributes(long node, Reply reply);

  /** A symbolic link's target: {@code sendPayload}. */
  void target(long node, Reply reply);

  /**
   * File content from an offset on: {@code sendPayload} with {@code size} bytes, fewer only at the
   * file's end.
   */
  void read(long node, long offset, int size, Reply reply);

  /**
   * The entries of a directory: {@code addChild} from the one at {@code offset} on until it says
   * that no more fit, then {@code sendChildren}. Offset 0 is the first one; the others are the
   * {@code next} of an entry that was added before. With none added it is the end. The kernel keeps
   * a list until it sees another modification time of the directory.
   */
  void children(long directory, long offset, Reply reply);

  /**
   * An extended attribute's value: {@code sendPayload}; ENODATA where there is none. The reply
   * knows whether only the size was asked for.
   */
  void xattr(long node, Name name, Reply reply);

  /** The names of a node's extended attributes, each ended by a NUL byte: {@code sendPayload}. */
  void xattrNames(long node, Reply reply);

  /** Sizes and counts of the whole: {@code sendStatistics}. */
  void statistics(Reply reply);
}
