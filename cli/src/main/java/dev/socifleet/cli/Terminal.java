package dev.socifleet.cli;

import java.io.Console;
import java.util.Optional;

/** The terminal, where this process has one. */
public final class Terminal {
  private Terminal() {}

  public static Optional<Console> find() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal);
  }
}
