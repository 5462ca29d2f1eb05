package dev.socifleet.service;

import java.util.List;

/** A configuration that cannot be used, with everything that is wrong in it, each by key name. */
public final class BadSettingsException extends RuntimeException {
  private final List<String> problems;

  public BadSettingsException(List<String> problems) {
    super("bad settings:\n  " + String.join("\n  ", problems));
    this.problems = List.copyOf(problems);
  }

  /** One line a problem, beginning with the key. */
  public List<String> problems() {
    return problems;
  }
}
