package dev.socifleet.cli;

/** A command that can't go on: one line for the user, which says what to do, and the exit code. */
public final class CommandFailure extends RuntimeException {
  private final int exitCode;

  public CommandFailure(String message) {
    this(message, 1);
  }

  public CommandFailure(String message, int exitCode) {
    super(message);
    this.exitCode = exitCode;
  }

  public int exitCode() {
    return exitCode;
  }
}
