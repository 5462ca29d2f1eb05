package dev.socifleet.cli;

import java.time.Duration;
import java.util.Locale;

/** Numbers as people read them. */
public final class Sizes {
  private Sizes() {}

  /** Decimal megabytes, with one decimal below 100: {@code 12.3 MB}. */
  public static String megabytes(long bytes) {
    double megabytes = bytes / 1e6;
    return String.format(Locale.ROOT, megabytes < 100 ? "%.1f MB" : "%.0f MB", megabytes);
  }

  public static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.2f s", duration.toMillis() / 1e3);
  }

  /** A part of a whole in per cent. */
  public static String share(long part, long whole) {
    return whole == 0 ? "-" : String.format(Locale.ROOT, "%.1f %%", 100.0 * part / whole);
  }
}
