package dev.socifleet.bench;

import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** The headers of 32 MiB of archive, which comes in the pieces that the decoder hands out. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TarWalkBenchmark {
  private static final int PIECE = 256 * 1024;

  @Benchmark
  public long walk(Sample sample, Blackhole hole) throws TarException {
    TarWalker walker = new TarWalker(hole::consume);
    for (int at = 0; at < sample.tar.length; at += PIECE) {
      walker.accept(sample.tar, at, Math.min(sample.tar.length, at + PIECE));
    }
    return walker.position();
  }
}
