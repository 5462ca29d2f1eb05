package dev.socifleet.fuse;

import java.nio.ByteBuffer;

/**
 * The answer to one request. One {@code send…} ends it; after that, and without {@link #defer}
 * after the call of {@link FileSystem}, it must not be touched. One thread at a time. Sending never
 * fails: a request that was interrupted or a mount that is gone is nobody's loss. What is sent
 * during the call goes to the kernel when the call returns, a deferred reply at once.
 */
public interface Reply {
  /**
   * Attributes to be filled before {@code sendEntry}, {@code sendAttributes}, {@code addChild}. All
   * 0 at first; one child's are still there for the next.
   */
  Attributes attributes();

  /**
   * There is such an entry: {@link #attributes()}.
   *
   * @param entrySeconds how long the kernel may believe the name
   * @param attributeSeconds how long it may believe the attributes
   */
  void sendEntry(long entrySeconds, long attributeSeconds);

  /** There is no such entry, which the kernel may believe for a while. */
  void sendNoEntry(long seconds);

  /** Answers with {@link #attributes()}, which the kernel may believe for a while. */
  void sendAttributes(long seconds);

  /**
   * Where a payload goes: direct, empty at the first call, with room for all that was asked for
   * (file content) or that can be answered at all (at least 64 KiB). For a deferred reply it comes
   * from a bounded pool: take it when there is something to put in.
   *
   * @throws IllegalStateException for a deferred reply when no payload got free in 10 s, or at once
   *     on a session's thread, which can't wait. The request is then answered with EAGAIN
   */
  ByteBuffer payload();

  /**
   * Answers with what is before the payload's position. Of an extended attribute that doesn't fit
   * the caller's buffer, or whose size alone was asked for, it answers ERANGE or the size.
   */
  void sendPayload();

  /**
   * Adds a directory's entry with {@link #attributes()}; node 0 for "." and "..".
   *
   * @param names holds the name
   * @param next the offset that lists what follows it
   * @return false when it doesn't fit any more: send what there is
   */
  boolean addChild(
      ByteBuffer names,
      int nameOffset,
      int nameLength,
      long next,
      long entrySeconds,
      long attributeSeconds);

  /** Answers with the entries added. */
  void sendChildren();

  /** Answers {@code statfs}. */
  void sendStatistics(long blocks, int blockSize, long files, int longestName);

  /** Answers with an error ({@link Errno}). */
  void sendError(int errno);

  /**
   * Takes the reply along, to be sent later from any thread. What it gives is bound to the same
   * request; the session's thread goes on with others. Until it is sent, the caller may be
   * unkillable.
   *
   * @param interrupted called, on a session thread and at most once, when the kernel says that the
   *     caller doesn't wait any more (FUSE_INTERRUPT) or the mount has ended; never before the call
   *     of {@link FileSystem} has returned, and maybe while the answer is being sent. It must
   *     return soon. The answer is then {@link Errno#INTR}, by whoever holds the reply
   */
  Reply defer(Runnable interrupted);
}
