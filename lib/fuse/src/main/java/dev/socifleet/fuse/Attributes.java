package dev.socifleet.fuse;

/** A node's attributes, to be filled anew for each answer ({@code struct fuse_attr}). Reused. */
public final class Attributes {
  /** The number by which the kernel will ask for the node. */
  public long node;

  /** What {@code stat} shows; unique in the mount. */
  public long ino;

  /** Type and permissions, as {@code st_mode}. */
  public int mode;

  public int links;
  public int uid;
  public int gid;

  /** Device number of a device node, as {@code makedev} of 32 bits (kernel: new_encode_dev). */
  public int device;

  /** Bytes of content; for a symbolic link those of its target. */
  public long size;

  /** Modification time: seconds since 1970, and 0 to 999,999,999 ns to add. Shown for all times. */
  public long seconds;

  public int nanos;

  /** Sets everything to 0. */
  public void clear() {
    node = 0;
    ino = 0;
    mode = 0;
    links = 0;
    uid = 0;
    gid = 0;
    device = 0;
    size = 0;
    seconds = 0;
    nanos = 0;
  }
}
