package dev.socifleet.oci;

import java.time.Duration;

/**
 * How long the client waits.
 *
 * @param answer for the head of an answer after the request was sent
 * @param upload for the head of an answer to a request with a body, for each 64 MiB of it
 * @param stall for the next byte of a body; then the connection counts as broken
 * @param longestWait before another attempt: a registry that asks for more (Retry-After) fails the
 *     request at once, with what it asked for in the failure
 */
public record Timeouts(Duration answer, Duration upload, Duration stall, Duration longestWait) {
  public static final Timeouts STANDARD =
      new Timeouts(
          Duration.ofSeconds(30),
          Duration.ofMinutes(10),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10));

  public Timeouts {
    for (Duration time : new Duration[] {answer, upload, stall, longestWait}) {
      if (time.isNegative() || time.isZero()) {
        throw new IllegalArgumentException("a time to wait must be positive: " + time);
      }
    }
  }

  Duration upload(long bytes) {
    return upload.multipliedBy(1 + Math.max(0, bytes) / (64L << 20));
  }
}
