package dev.socifleet.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Times things that are to be compared, by turns, so that what disturbs disturbs all of them. */
final class Stopwatch {
  /** One of the things, and its times in seconds, a round each. */
  record Timed(String name, Callable<?> work, List<Double> seconds) {
    Timed(String name, Callable<?> work) {
      this(name, work, new ArrayList<>());
    }

    /** Its time divided by another's, round by round. */
    double[] against(Timed other) {
      double[] ratios = new double[seconds.size()];
      for (int i = 0; i < ratios.length; i++) {
        ratios[i] = seconds.get(i) / other.seconds.get(i);
      }
      return ratios;
    }
  }

  private Stopwatch() {}

  /** Runs all of them, a round that doesn't count first. */
  static void run(int rounds, List<Timed> all) throws Exception {
    for (int round = -1; round < rounds; round++) {
      for (Timed timed : all) {
        long start = System.nanoTime();
        timed.work.call();
        if (round >= 0) {
          timed.seconds.add((System.nanoTime() - start) / 1e9);
        }
      }
    }
  }

  /** Runs a command; its output goes nowhere. */
  static int command(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int code = process.waitFor();
    if (code != 0) {
      throw new IOException(command + " ends with " + code);
    }
    return code;
  }
}
