package dev.socifleet.fuse;

import java.io.IOException;
import java.nio.file.Path;

/** A server in a process of its own, to be killed. */
final class ServerMain {
  private ServerMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    MemoryFileSystem files = new MemoryFileSystem();
    files.file(files.root, "f", "from another process\n");
    try {
      FuseMount.start(Path.of(arguments[0]), files, FuseMount.Options.of("test", "other"));
    } catch (IOException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
    System.out.println("serving");
    Thread.sleep(Long.MAX_VALUE);
  }
}
