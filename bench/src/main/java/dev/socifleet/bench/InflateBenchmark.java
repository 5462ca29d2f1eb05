package dev.socifleet.bench;

import dev.socifleet.ztoc.inflate.InflateException;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** A whole layer, checksum included: our decoder and the JDK's. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class InflateBenchmark {
  @Benchmark
  public long ours(Sample sample) throws InflateException {
    return GzipLayer.ours(sample.layer);
  }

  @Benchmark
  public long zlib(Sample sample) throws DataFormatException {
    return GzipLayer.zlib(sample.layer);
  }
}
