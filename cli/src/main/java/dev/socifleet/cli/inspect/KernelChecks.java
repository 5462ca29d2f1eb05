package dev.socifleet.cli.inspect;

import dev.socifleet.cli.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What lazy layers need of the kernel and of who runs them. */
final class KernelChecks {
  private static final Pattern RELEASE = Pattern.compile("([0-9]+)\\.([0-9]+)");
  // FUSE 7.31, which the lazy file system needs.
  private static final int OLDEST_MAJOR = 5;
  private static final int OLDEST_MINOR = 4;

  private KernelChecks() {}

  static List<Finding> run() {
    List<Finding> found = new ArrayList<>();
    found.add(kernel());
    found.add(fuse());
    found.add(overlay());
    found.add(
        Machine.isRoot()
            ? Finding.ok("this is root, which the node and containerd need")
            : Finding.warn(
                "this isn't root: what needs it wasn't looked at",
                "run sudo soci doctor; index create, verify and convert --standalone need no root"));
    return found;
  }

  private static Finding kernel() {
    String release = System.getProperty("os.version");
    Matcher number = RELEASE.matcher(release);
    boolean old =
        number.lookingAt()
            && (Integer.parseInt(number.group(1)) < OLDEST_MAJOR
                || (Integer.parseInt(number.group(1)) == OLDEST_MAJOR
                    && Integer.parseInt(number.group(2)) < OLDEST_MINOR));
    return old
        ? Finding.fail("Linux " + release + " is too old", "use Linux 5.4 or newer")
        : Finding.ok("Linux " + release);
  }

  private static Finding fuse() {
    Path device = Path.of("/dev/fuse");
    if (!Files.exists(device)) {
      return Finding.fail(
          "there is no /dev/fuse",
          "modprobe fuse; in a container, give it the device: --device /dev/fuse");
    }
    return Files.isReadable(device) && Files.isWritable(device)
        ? Finding.ok("/dev/fuse can be opened")
        : Finding.warn("/dev/fuse can't be opened by this user", "run as root");
  }

  private static Finding overlay() {
    try {
      boolean known =
          Files.readAllLines(Path.of("/proc/filesystems")).stream()
              .anyMatch(line -> line.endsWith("\toverlay"));
      return known
          ? Finding.ok("the kernel has overlayfs")
          : Finding.fail("the kernel has no overlayfs", "modprobe overlay");
    } catch (IOException e) {
      return Finding.warn("cannot look at /proc/filesystems: " + e, "mount /proc");
    }
  }
}
