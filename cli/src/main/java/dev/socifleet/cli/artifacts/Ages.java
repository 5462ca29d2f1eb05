package dev.socifleet.cli.artifacts;

import java.time.Duration;
import java.time.Instant;

/** How long ago something was, as Go prints a duration rounded to seconds: {@code 1h2m3s ago}. */
final class Ages {
  private Ages() {}

  static String ago(Instant then, Instant now) {
    if (then.equals(Instant.EPOCH)) {
      return "n/a";
    }
    Duration age = Duration.ofSeconds(Math.round(Duration.between(then, now).toMillis() / 1e3));
    long hours = age.toHours();
    String minutes = hours > 0 || age.toMinutes() > 0 ? age.toMinutesPart() + "m" : "";
    return (hours > 0 ? hours + "h" : "") + minutes + age.toSecondsPart() + "s ago";
  }
}
