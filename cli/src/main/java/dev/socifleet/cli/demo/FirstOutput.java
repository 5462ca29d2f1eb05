package dev.socifleet.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program's run out of a directory.
 *
 * @param toFirstOutput from the program's start to its first byte of output
 * @param text what it said, standard error included
 */
record FirstOutput(Duration toFirstOutput, String text) {
  private static final long PATIENCE_SECONDS = 120;
  private static final int MOST_OUTPUT = 64 << 10;

  /**
   * With a /proc of its own namespace, for Java finds its libraries by /proc/self/exe; that mount
   * ends with the program, however it ends.
   */
  private static final List<String> IN_ROOT =
      List.of(
          "unshare",
          "--mount",
          "sh",
          "-c",
          "mount --bind /proc \"$1/proc\" && exec chroot \"$@\"",
          "sh");

  /** Runs the command in {@code root} to its end; needs root. */
  static FirstOutput of(Path root, List<String> command) throws IOException, InterruptedException {
    List<String> whole = new ArrayList<>(IN_ROOT);
    whole.add(root.toString());
    whole.addAll(command);
    long started = System.nanoTime();
    Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      Reading reading = new Reading(process.getInputStream(), started);
      Thread reader = Thread.ofVirtual().start(reading);
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException(
            String.join(" ", command) + " did not end within " + PATIENCE_SECONDS + " s");
      }
      reader.join();
      if (process.exitValue() != 0) {
        throw new IOException(
            String.join(" ", command)
                + " in "
                + root
                + " ended with status "
                + process.exitValue()
                + ": "
                + reading.text.lines().findFirst().orElse("no output"));
      }
      return new FirstOutput(Duration.ofNanos(reading.firstByte - started), reading.text);
    } finally {
      process.destroyForcibly();
    }
  }

  private static final class Reading implements Runnable {
    private final InputStream from;
    private long firstByte;
    private String text = "";

    Reading(InputStream from, long started) {
      this.from = from;
      firstByte = started;
    }

    @Override
    public void run() {
      try (from) {
        int first = from.read();
        firstByte = System.nanoTime();
        if (first >= 0) {
          byte[] rest = from.readNBytes(MOST_OUTPUT);
          text = (char) first + new String(rest, StandardCharsets.UTF_8);
          from.transferTo(java.io.OutputStream.nullOutputStream());
        }
      } catch (IOException e) {
        text = text + e.getMessage();
      }
    }
  }
}
