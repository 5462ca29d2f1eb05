package dev.socifleet.cli.up;

import dev.socifleet.cli.CommandFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The directory of all state, held by one process at a time. */
final class StateDirectory implements AutoCloseable {
  private final FileChannel lock;

  private StateDirectory(FileChannel lock) {
    this.lock = lock;
  }

  /**
   * Creates it when missing, and locks it until closed; the kernel ends the lock of a killed
   * process.
   */
  static StateDirectory hold(Path directory) {
    try {
      Files.createDirectories(directory);
      FileChannel channel =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (locked(channel)) {
        return new StateDirectory(channel);
      }
      channel.close();
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot keep state in "
              + directory
              + ": "
              + e.getMessage()
              + "; choose another directory with --state");
    }
    throw new CommandFailure(
        "another soci uses " + directory + "; end it, or choose another directory with --state");
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false; // this very process has it
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
