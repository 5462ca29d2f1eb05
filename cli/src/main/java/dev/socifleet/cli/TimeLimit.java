package dev.socifleet.cli;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How long a command may take. */
public final class TimeLimit {
  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = GoDuration.class,
      description = "How long the command may take, such as 90s or 1h30m (no limit).")
  private @Nullable Duration timeout;

  /** Zero for no limit. */
  public Duration duration() {
    return timeout == null ? Duration.ZERO : timeout;
  }

  /** This one where it was given, else the other. */
  TimeLimit or(TimeLimit other) {
    return timeout == null ? other : this;
  }
}
