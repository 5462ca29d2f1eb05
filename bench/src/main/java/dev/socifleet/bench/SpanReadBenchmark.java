package dev.socifleet.bench;

import dev.socifleet.ztoc.Span;
import dev.socifleet.ztoc.SpanDecoder;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** One span in the middle of a layer, by a decoder that is there already. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class SpanReadBenchmark {
  private static final int FEW = 4096;

  private final SpanDecoder decoder = new SpanDecoder();

  /** All of it, its digest compared first. */
  @Benchmark
  public void full(Sample sample, Blackhole hole) throws IOException {
    decoder.start(sample.ztoc(), sample.index, sample.span);
    decoder.decode((buffer, from, length) -> hole.consume(buffer));
  }

  /** All of it, verified by somebody else. */
  @Benchmark
  public void fullVerified(Sample sample, Blackhole hole) throws IOException {
    decoder.startVerified(sample.ztoc(), sample.index, sample.span);
    decoder.decode((buffer, from, length) -> hole.consume(buffer));
  }

  /** Until 4 KiB in its middle are there: what somebody waits for on average. */
  @Benchmark
  public void early(Sample sample, Blackhole hole) throws IOException {
    Span span = sample.ztoc().span(sample.index);
    decoder.startVerified(sample.ztoc(), sample.index, sample.span);
    decoder.decode(
        span.uncompressedStart() + span.uncompressedLength() / 2 + FEW,
        (buffer, from, length) -> hole.consume(buffer));
  }
}
