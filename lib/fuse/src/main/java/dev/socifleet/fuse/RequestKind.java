package dev.socifleet.fuse;

import java.util.Arrays;

/** What the kernel asks for, as {@link FileSystem} sees it. */
public enum RequestKind {
  LOOKUP,
  ATTRIBUTES,
  TARGET,
  READ,
  CHILDREN,
  XATTR,
  XATTR_NAMES,
  STATISTICS,
  /** Answered without the file system, or not at all. */
  OTHER;

  private static final RequestKind[] BY_OPCODE = byOpcode();

  private static RequestKind[] byOpcode() {
    RequestKind[] kinds = new RequestKind[64];
    Arrays.fill(kinds, OTHER);
    kinds[Abi.LOOKUP] = LOOKUP;
    kinds[Abi.GETATTR] = ATTRIBUTES;
    kinds[Abi.READLINK] = TARGET;
    kinds[Abi.READ] = READ;
    kinds[Abi.READDIR] = CHILDREN;
    kinds[Abi.READDIRPLUS] = CHILDREN;
    kinds[Abi.GETXATTR] = XATTR;
    kinds[Abi.LISTXATTR] = XATTR_NAMES;
    kinds[Abi.STATFS] = STATISTICS;
    return kinds;
  }

  static RequestKind of(int opcode) {
    return opcode >= 0 && opcode < BY_OPCODE.length ? BY_OPCODE[opcode] : OTHER;
  }
}
