package dev.socifleet.fuse;

/** Error numbers of Linux that a file system answers (include/uapi/asm-generic/errno.h). */
public final class Errno {
  public static final int NOENT = 2;
  public static final int INTR = 4;
  public static final int IO = 5;
  public static final int AGAIN = 11;
  public static final int NOTDIR = 20;
  public static final int INVAL = 22;
  public static final int ROFS = 30;
  public static final int RANGE = 34;
  public static final int NOSYS = 38;
  public static final int NODATA = 61;
  public static final int OPNOTSUPP = 95;
  public static final int STALE = 116;

  private Errno() {}
}
