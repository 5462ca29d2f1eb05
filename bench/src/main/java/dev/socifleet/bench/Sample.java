package dev.socifleet.bench;

import dev.socifleet.ztoc.SpanReader;
import dev.socifleet.ztoc.Ztoc;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The layer that JMH's benchmarks work on: the file named by {@code -Dbench.layer}. */
@State(Scope.Benchmark)
public class Sample {
  private static final int TAR = 32 << 20;

  byte[] layer = {};
  private @Nullable Ztoc ztoc;

  /** Compressed bytes of a span in the middle. */
  byte[] span = {};

  int index;

  /** The first 32 MiB of the archive. */
  byte[] tar = {};

  /** Reads the file and indexes it. */
  @Setup(Level.Trial)
  public void read() throws IOException {
    Path path = Path.of(System.getProperty("bench.layer", "target/layers/jdk.gzip-6.tar.gz"));
    layer = Files.readAllBytes(path);
    Ztoc ztoc = GzipLayer.ztoc(path);
    this.ztoc = ztoc;
    index = ztoc.spanCount() / 2;
    span = bytes(ztoc.span(index).compressedStart(), ztoc.span(index).compressedEnd());
    ByteArrayOutputStream start = new ByteArrayOutputStream();
    new SpanReader(ztoc, this::bytes).read(0, Math.min(TAR, ztoc.uncompressedSize()), start::write);
    tar = start.toByteArray();
  }

  Ztoc ztoc() {
    return Objects.requireNonNull(ztoc);
  }

  private byte[] bytes(long start, long end) {
    return Arrays.copyOfRange(layer, (int) start, (int) end);
  }
}
