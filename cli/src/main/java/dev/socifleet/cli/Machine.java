package dev.socifleet.cli;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a command needs of the machine, checked before anything is started: each lack is one line
 * that says what to do.
 */
public final class Machine {
  private static final Path FUSE = Path.of("/dev/fuse");

  private Machine() {}

  /** Mounting and unpacking need root. */
  public static void needRoot(String command) {
    if (!isRoot()) {
      throw new CommandFailure(command + " mounts file systems and needs root; run it with sudo");
    }
  }

  /** Whether this process may mount. */
  public static boolean isRoot() {
    try { // by number: small containers know no names
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException e) {
      return "root".equals(System.getProperty("user.name"));
    }
  }

  /** The lazy file system needs the kernel's FUSE. */
  public static void needFuse() {
    if (!Files.exists(FUSE)) {
      throw new CommandFailure(
          "there is no /dev/fuse: load the module (modprobe fuse), or give this container the device (--device /dev/fuse)");
    }
    if (!Files.isReadable(FUSE) || !Files.isWritable(FUSE)) {
      throw new CommandFailure("/dev/fuse can't be opened by this user; run as root");
    }
  }

  /** A port of this machine's loopback that has to be free. */
  public static void needPort(int port, String what, String option) {
    if (port == 0) {
      return;
    }
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), port));
    } catch (BindException e) {
      throw new CommandFailure(
          "port "
              + port
              + ", for "
              + what
              + ", is taken; stop what uses it, or choose another with "
              + option);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot listen on 127.0.0.1:" + port + " for " + what + ": " + e.getMessage());
    }
  }

  /** A program that has to be on the PATH. */
  public static void needProgram(String name, String debianPackage) {
    for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      if (Files.isExecutable(Path.of(directory.isEmpty() ? "." : directory, name))) {
        return;
      }
    }
    throw new CommandFailure(
        "there is no " + name + " on the PATH; on Debian: apt-get install " + debianPackage);
  }
}
