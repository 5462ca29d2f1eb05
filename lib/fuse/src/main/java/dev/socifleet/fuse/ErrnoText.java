package dev.socifleet.fuse;

/** Names of errors, for messages. */
final class ErrnoText {
  static final int EPERM = 1;
  static final int ENXIO = 6;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int ENODEV = 19;
  static final int ENOTTY = 25;
  static final int ENAMETOOLONG = 36;
  static final int ECONNABORTED = 103;
  static final int ENOTCONN = 107;

  /** No errno of the kernel's interface is larger; it refuses answers with such. */
  static final int LARGEST = 511;

  private ErrnoText() {}

  static String of(int errno) {
    return switch (errno) {
      case EPERM -> "EPERM (operation not permitted)";
      case Errno.NOENT -> "ENOENT (no such file or directory)";
      case Errno.INTR -> "EINTR (interrupted)";
      case Errno.IO -> "EIO (input/output error)";
      case ENXIO -> "ENXIO (no such device or address)";
      case 12 -> "ENOMEM (out of memory)";
      case EACCES -> "EACCES (permission denied)";
      case 14 -> "EFAULT (bad address)";
      case 15 -> "ENOTBLK (block device required)";
      case EBUSY -> "EBUSY (in use)";
      case ENODEV -> "ENODEV (no such device, or the kernel lacks this file system)";
      case Errno.NOTDIR -> "ENOTDIR (not a directory)";
      case Errno.INVAL -> "EINVAL (invalid argument)";
      case 24 -> "EMFILE (too many open files)";
      case 28 -> "ENOSPC (no space, or too many mounts: fs.mount-max)";
      case Errno.ROFS -> "EROFS (read-only file system)";
      case ENAMETOOLONG -> "ENAMETOOLONG (name too long)";
      case 40 -> "ELOOP (too many symbolic links, or file systems on one another)";
      case ECONNABORTED -> "ECONNABORTED (connection aborted)";
      case ENOTCONN -> "ENOTCONN (transport endpoint is not connected: its server is dead)";
      case Errno.STALE -> "ESTALE (stale file handle)";
      default -> "errno " + errno;
    };
  }
}
