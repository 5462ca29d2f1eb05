package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * mount(2) and umount2(2). Needs CAP_SYS_ADMIN. Errors name the call, the path, the reason and what
 * to do.
 */
public final class Mounts {
  /** MS_RDONLY. */
  public static final long READ_ONLY = 1;

  /** MS_NOSUID: set-user-ID bits have no effect. */
  public static final long NO_SUID = 2;

  /** MS_NODEV: device nodes can't be opened. */
  public static final long NO_DEVICES = 4;

  /** MS_NOEXEC. */
  public static final long NO_EXEC = 8;

  private static final long REMOUNT = 32;
  private static final long BIND = 4096;

  /** Options of a mount that a change of it must repeat, by their name in mountinfo. */
  private static final Map<String, Long> KEPT =
      Map.of(
          "ro",
          READ_ONLY,
          "nosuid",
          NO_SUID,
          "nodev",
          NO_DEVICES,
          "noexec",
          NO_EXEC,
          "noatime",
          1024L,
          "nodiratime",
          2048L,
          "relatime",
          1L << 21,
          "nosymfollow",
          256L);

  static final int FORCE = 1;
  static final int DETACH = 2;
  private static final int NO_FOLLOW = 8;

  private Mounts() {}

  /** Shows a directory or file at a second place. */
  public static void bind(Path source, Path target, boolean readOnly) throws IOException {
    mount("none", source.toString(), target, BIND, "");
    if (!readOnly) {
      return;
    }
    try {
      // A bind takes no other flag; they are set by a second call, which sets all of them.
      long flags = REMOUNT | BIND | READ_ONLY | flagsOf(target);
      mount("none", source.toString(), target, flags, "");
    } catch (IOException e) {
      try {
        unmount(target, /* lazy= */ true);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  private static long flagsOf(Path target) throws IOException {
    return MountTable.top(target).stream()
        .flatMap(entry -> entry.flags().stream())
        .mapToLong(flag -> KEPT.getOrDefault(flag, 0L))
        .reduce(0, (one, other) -> one | other);
  }

  /**
   * mount(2).
   *
   * @param type such as "overlay"
   * @param source what it shows; a name only where there is no device
   * @param flags of this class's constants
   * @param data the type's own options, comma-separated; the kernel takes less than a page
   */
  public static void mount(String type, String source, Path target, long flags, String data)
      throws IOException {
    for (String text : new String[] {type, source, data}) {
      if (text.indexOf(0) >= 0) {
        throw new IOException("cannot mount on " + target + ": an argument has a NUL character");
      }
    }
    int length = data.getBytes(StandardCharsets.UTF_8).length;
    if (length >= Native.PAGE) {
      throw new IOException(
          "cannot mount %s on %s: its options have %d bytes, and the kernel takes %d: use shorter paths or fewer lower directories"
              .formatted(type, target, length, Native.PAGE - 1));
    }
    int result = Native.mount(source, target.toString(), type, flags, data);
    if (result < 0) {
      throw new IOException(
          "cannot mount %s (%s) on %s: %s%s"
              .formatted(type, source, target, ErrnoText.of(-result), advice(-result, type)));
    }
  }

  private static String advice(int errno, String type) {
    return switch (errno) {
      case ErrnoText.EPERM, ErrnoText.EACCES -> ": mounting needs CAP_SYS_ADMIN: run as root";
      case ErrnoText.ENODEV -> ": load its module (modprobe " + type.replaceAll("\\..*", "") + ")";
      case Errno.INVAL -> ": the kernel's log (dmesg) may say which option it is";
      default -> "";
    };
  }

  /**
   * umount2(2). Symbolic links are not followed.
   *
   * @param lazy takes it away from the path even when it is in use; it ends with its last user
   */
  public static void unmount(Path target, boolean lazy) throws IOException {
    int result = unmount(target, lazy ? DETACH : 0);
    if (result < 0) {
      String advice =
          switch (-result) {
            case ErrnoText.EPERM -> ": unmounting needs CAP_SYS_ADMIN: run as root";
            case ErrnoText.EBUSY -> ": end the processes that use it (fuser -vm " + target + ")";
            case Errno.INVAL -> ": it is no mount point";
            default -> "";
          };
      throw new IOException("cannot unmount " + target + ": " + ErrnoText.of(-result) + advice);
    }
  }

  /** Returns 0 or {@code -errno}. */
  static int unmount(Path target, int flags) {
    return Native.unmount(target.toString(), flags | NO_FOLLOW);
  }

  /** Whether something is mounted there. Doesn't touch it, so a dead server is no obstacle. */
  public static boolean isMountPoint(Path path) throws IOException {
    return MountTable.top(path).isPresent();
  }
}
