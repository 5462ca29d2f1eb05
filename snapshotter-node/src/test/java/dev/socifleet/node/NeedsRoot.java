package dev.socifleet.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Tests that mount, or make devices. */
public final class NeedsRoot {
  private NeedsRoot() {}

  /** Skips the test without root; fails it where continuous integration would skip. */
  public static void check() {
    boolean root = "root".equals(System.getProperty("user.name"));
    if ("true".equals(System.getenv("CI"))) {
      assertThat(root).as("CI runs the tests as root").isTrue();
    }
    assumeTrue(root, "needs root");
  }
}
