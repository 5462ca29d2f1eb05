package dev.socifleet.cli.demo;

import java.util.Locale;

/**
 * Tells on standard error what happens, each line with the seconds since the begin. Thread-safe.
 */
final class Narration {
  private final long started = System.nanoTime();

  private Narration() {}

  static Narration begin() {
    return new Narration();
  }

  void say(String line) {
    double seconds = (System.nanoTime() - started) / 1e9;
    System.err.println(String.format(Locale.ROOT, "%6.1f s  %s", seconds, line));
  }

  /** More about what was said last. */
  void detail(String line) {
    System.err.println("           " + line);
  }
}
