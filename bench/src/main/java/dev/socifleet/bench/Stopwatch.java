package dev.socifleet.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Times things that are to be compared, by turns, so that what disturbs disturbs all of them. */
final class Stopwatch {
  /** One of the things, and its times, a round each. */
  static final class Timed {
    private final Callable<?> work;
    private final List<Long> elapsed = new ArrayList<>();
    private final List<Long> processor = new ArrayList<>();

    Timed(Callable<?> work) {
      this.work = work;
    }

    /** The time that passed divided by another's, round by round. */
    double[] against(Timed other) {
      return ratios(elapsed, other.elapsed);
    }

    /**
     * The same of the processor's time in the calling thread: for work in one thread it is what
     * would have passed on a quiet machine.
     */
    double[] processorAgainst(Timed other) {
      return ratios(processor, other.processor);
    }

    private static double[] ratios(List<Long> some, List<Long> others) {
      double[] ratios = new double[some.size()];
      for (int i = 0; i < ratios.length; i++) {
        ratios[i] = (double) some.get(i) / others.get(i);
      }
      return ratios;
    }

    private void run(boolean counts) throws Exception {
      long start = System.nanoTime();
      long processorStart = THREADS.getCurrentThreadCpuTime();
      work.call();
      if (counts) {
        processor.add(THREADS.getCurrentThreadCpuTime() - processorStart);
        elapsed.add(System.nanoTime() - start);
      }
    }
  }

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private Stopwatch() {}

  /** Runs all of them, a round that doesn't count first. */
  static void run(int rounds, List<Timed> all) throws Exception {
    for (int round = -1; round < rounds; round++) {
      for (Timed timed : all) {
        timed.run(round >= 0);
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
