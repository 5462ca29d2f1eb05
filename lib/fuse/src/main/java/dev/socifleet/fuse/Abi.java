package dev.socifleet.fuse;

/**
 * Numbers and layouts of the kernel's interface, version 7 (Linux, include/uapi/linux/fuse.h), all
 * in the machine's byte order. Offsets are from a structure's start.
 *
 * <pre>
 * fuse_in_header      fuse_out_header      fuse_entry_out         fuse_attr
 *  0 u32 len           0 u32 len            0 u64 nodeid           0 u64 ino
 *  4 u32 opcode        4 s32 error (-errno) 8 u64 generation       8 u64 size
 *  8 u64 unique        8 u64 unique        16 u64 entry_valid     16 u64 blocks
 * 16 u64 nodeid       16                   24 u64 attr_valid      24 u64 atime
 * 24 u32 uid                               32 u32 …_valid_nsec    32 u64 mtime
 * 28 u32 gid          fuse_attr_out        36 u32 …_valid_nsec    40 u64 ctime
 * 32 u32 pid           0 u64 attr_valid    40 fuse_attr           48 u32 atimensec
 * 36 u32 (extensions)  8 u32 …_valid_nsec 128                     52 u32 mtimensec
 * 40                  12 u32 -                                    56 u32 ctimensec
 *                     16 fuse_attr         fuse_dirent            60 u32 mode
 * fuse_read_in       104                    0 u64 ino             64 u32 nlink
 *  0 u64 fh                                 8 u64 off             68 u32 uid
 *  8 u64 offset       fuse_getxattr_in     16 u32 namelen         72 u32 gid
 * 16 u32 size          0 u32 size          20 u32 type            76 u32 rdev
 * 20 u32 read_flags    4 u32 -             24 name, to 8 bytes    80 u32 blksize
 * 24 u64 lock_owner    8 name, NUL                                84 u32 flags
 * 32 u32 flags                             fuse_direntplus        88
 * 36 u32 -            fuse_interrupt_in     0 fuse_entry_out
 * 40                   0 u64 unique       128 fuse_dirent
 *
 * fuse_init_in        fuse_init_out                  fuse_kstatfs
 *  0 u32 major         0 u32 major                    0 u64 blocks
 *  4 u32 minor         4 u32 minor                    8 u64 bfree
 *  8 u32 max_readahead 8 u32 max_readahead           16 u64 bavail
 * 12 u32 flags        12 u32 flags                   24 u64 files
 * 16 u32 flags2       16 u16 max_background          32 u64 ffree
 * 20 (unused)         18 u16 congestion_threshold    40 u32 bsize
 *                     20 u32 max_write               44 u32 namelen
 *                     24 u32 time_gran               48 u32 frsize
 *                     28 u16 max_pages               52 (spare)
 *                     30 u16 map_alignment           80
 *                     32 u32 flags2
 *                     36 (unused)
 *                     64
 * </pre>
 */
final class Abi {
  static final int MAJOR = 7;

  /** The newest minor version whose structures are known here. */
  static final int MINOR = 41;

  /** Linux 5.4; opens without a request for directories are of 7.29. */
  static final int LEAST_MINOR = 31;

  static final int LOOKUP = 1;
  static final int FORGET = 2;
  static final int GETATTR = 3;
  static final int SETATTR = 4;
  static final int READLINK = 5;
  static final int SYMLINK = 6;
  static final int MKNOD = 8;
  static final int MKDIR = 9;
  static final int UNLINK = 10;
  static final int RMDIR = 11;
  static final int RENAME = 12;
  static final int LINK = 13;
  static final int READ = 15;
  static final int WRITE = 16;
  static final int STATFS = 17;
  static final int RELEASE = 18;
  static final int SETXATTR = 21;
  static final int GETXATTR = 22;
  static final int LISTXATTR = 23;
  static final int REMOVEXATTR = 24;
  static final int INIT = 26;
  static final int READDIR = 28;
  static final int RELEASEDIR = 29;
  static final int CREATE = 35;
  static final int INTERRUPT = 36;
  static final int DESTROY = 38;
  static final int IOCTL = 39;
  static final int NOTIFY_REPLY = 41;
  static final int BATCH_FORGET = 42;
  static final int FALLOCATE = 43;
  static final int READDIRPLUS = 44;
  static final int RENAME2 = 45;
  static final int TMPFILE = 51;

  static final int IN_HEADER = 40;
  static final int OUT_HEADER = 16;
  static final int ATTR_OUT = 104;
  static final int ENTRY_OUT = 128;
  static final int DIRENT = 24;
  static final int READ_IN = 40;
  static final int GETXATTR_IN = 8;
  static final int GETXATTR_OUT = 8;
  static final int INIT_IN = 16;
  static final int INIT_OUT = 64;
  static final int STATFS_OUT = 80;

  /** The largest body with a layout of its own. */
  static final int LARGEST_STRUCTURE = ENTRY_OUT;

  /** The kernel refuses smaller buffers (FUSE_MIN_READ_BUFFER). */
  static final int LEAST_READ_BUFFER = 8192;

  /** What the kernel takes as least; nothing is written here. */
  static final int MAX_WRITE = 4096;

  /** Longest name that the kernel takes from a directory (FUSE_NAME_MAX). */
  static final int LONGEST_NAME = 1024;

  static final long ASYNC_READ = 1L;
  static final long DO_READDIRPLUS = 1L << 13;
  static final long NO_OPEN_SUPPORT = 1L << 17;
  static final long PARALLEL_DIROPS = 1L << 18;
  static final long MAX_PAGES = 1L << 22;
  static final long CACHE_SYMLINKS = 1L << 23;
  static final long NO_OPENDIR_SUPPORT = 1L << 24;
  static final long INIT_EXT = 1L << 30;

  /** A successor may have requests sent again that its predecessor had read (Linux 6.9). */
  static final long HAS_RESEND = 1L << 39;

  private Abi() {}
}
