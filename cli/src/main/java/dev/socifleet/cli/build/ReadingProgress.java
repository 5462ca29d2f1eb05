package dev.socifleet.cli.build;

import dev.socifleet.oci.Digest;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The moving line while layers are read: how much, how fast, how long it will take. */
final class ReadingProgress {
  private static final long REDRAW_NANOS = 100_000_000;

  private final PrintWriter terminal;
  private final boolean moving;
  private final long started = System.nanoTime();
  private final Map<Digest, Long> read = new HashMap<>();
  private long expected;
  private long sum;
  private long drawn;

  ReadingProgress(PrintWriter terminal, boolean moving) {
    this.terminal = terminal;
    this.moving = moving;
  }

  synchronized void expect(long bytes) {
    expected += bytes;
  }

  synchronized void at(Digest layer, long bytes) {
    Long before = read.put(layer, bytes);
    sum += bytes - (before == null ? 0 : before);
    long now = System.nanoTime();
    if (moving && now - drawn > REDRAW_NANOS) {
      drawn = now;
      double seconds = Math.max(1e-3, (now - started) / 1e9);
      double rate = sum / seconds;
      terminal.printf(
          Locale.ROOT,
          "\r\033[K%.1f of %.1f MB read, %.0f MB/s, %.0f s to go",
          sum / 1e6,
          Math.max(sum, expected) / 1e6,
          rate / 1e6,
          Math.max(0, expected - sum) / rate);
      terminal.flush();
    }
  }

  synchronized void erase() {
    if (moving) {
      terminal.print("\r\033[K");
      terminal.flush();
    }
  }
}
