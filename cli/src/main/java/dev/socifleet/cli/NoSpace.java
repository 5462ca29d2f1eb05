package dev.socifleet.cli;

import java.io.IOException;
import java.nio.file.Path;

/** A full disk. What the JDK writes by a channel fails without saying where. */
public final class NoSpace {
  private static final String REASON = "No space left on device";

  private NoSpace() {}

  /** The failure to write a file, with its name where that is missing. */
  public static IOException at(Path path, IOException failure) {
    return REASON.equals(failure.getMessage())
        ? new IOException("cannot write " + path + ": " + REASON, failure)
        : failure;
  }

  static boolean isReasonOf(Exception failure) {
    return String.valueOf(failure.getMessage()).endsWith(REASON);
  }
}
