package dev.socifleet.cli.inspect;

/**
 * What the doctor found.
 *
 * @param advice what to do; empty where all is well
 */
record Finding(Level level, String what, String advice) {
  /** How bad it is. */
  enum Level {
    OK,
    WARN,
    FAIL
  }

  static Finding ok(String what) {
    return new Finding(Level.OK, what, "");
  }

  static Finding warn(String what, String advice) {
    return new Finding(Level.WARN, what, advice);
  }

  static Finding fail(String what, String advice) {
    return new Finding(Level.FAIL, what, advice);
  }
}
