package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(300)
class LayerReaderTest {
  private static final long SPAN = 10_000;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Layer(String name, byte[] bytes, byte[] tar, Ztoc ztoc) {
    static Layer of(String name) throws IOException {
      byte[] bytes = TestLayers.resource("layers/" + name);
      Compression compression = TestLayers.compressionOf(name);
      Ztoc ztoc = Ztoc.parse(TestLayers.built(bytes, compression, SPAN).bytes());
      byte[] tar = Arrays.copyOf(TestLayers.tar(bytes, compression), (int) ztoc.uncompressedSize());
      return new Layer(name, bytes, tar, ztoc);
    }

    byte[] read(long start, long end) {
      return Arrays.copyOfRange(bytes, (int) start, (int) end);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "enc-mem1.tar.gz, 1",
    "enc-mem1.tar.gz, 2",
    "enc-mem1.tar.gz, 3",
    "enc-mem1.tar.gz, 8",
    "enc-stored.tar.gz, 2",
    "enc-members-empty.tar.gz, 2",
    "enc-members-many.tar.gz, 2",
    "enc-igzip-3.tar.gz, 2",
    "enc-partial.tar.gz, 4",
    "padded-10k.tar.gz, 2",
    "zero-bytes.tar.gz, 2",
    "many.tar.gz, 2",
    "plain-pax-rich.tar, 1",
    "plain-pax-rich.tar, 2",
    "plain-padded-10k.tar, 3"
  })
  void aLayerIsTheSameWithAnyNumberOfThreads(String name, int threads) throws IOException {
    Layer layer = Layer.of(name);
    ByteArrayOutputStream read = new ByteArrayOutputStream();

    new LayerReader(layer.ztoc, layer::read, threads).copyTo(read);

    assertThat(Arrays.equals(read.toByteArray(), layer.tar)).isTrue();
  }

  @Test
  void anyPartCanBeRead() throws IOException {
    Layer layer = Layer.of("enc-mem1.tar.gz");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      int from = random.nextInt(layer.tar.length);
      int to = from + random.nextInt(layer.tar.length - from + 1);
      ByteArrayOutputStream read = new ByteArrayOutputStream();

      new LayerReader(layer.ztoc, layer::read, 1 + random.nextInt(4))
          .read(from, to - from, read::write);

      assertThat(Arrays.equals(read.toByteArray(), Arrays.copyOfRange(layer.tar, from, to)))
          .as("[%d, %d), seed %d", from, to, seed)
          .isTrue();
    }
  }

  @Test
  void aSlowTakerKeepsSpansFromBeingFetched() throws IOException {
    Layer layer = Layer.of("enc-mem1.tar.gz");
    int threads = 2;
    AtomicInteger fetched = new AtomicInteger();
    AtomicInteger furthest = new AtomicInteger();
    long[] taken = {0};

    new LayerReader(
            layer.ztoc,
            (start, end) -> {
              fetched.incrementAndGet();
              return layer.read(start, end);
            },
            threads)
        .read(
            0,
            layer.tar.length,
            (buffer, from, n) -> {
              int ahead = fetched.get() - layer.ztoc.spanAt(taken[0]);
              furthest.accumulateAndGet(ahead, Math::max);
              taken[0] += n;
            });

    assertThat(fetched).hasValue(layer.ztoc.spanCount());
    assertThat(layer.ztoc.spanCount()).isGreaterThan(4 * threads);
    assertThat(furthest.get()).isLessThanOrEqualTo(2 * threads + 1);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "5"})
  void aCorruptSpanComesAfterAllBytesBeforeIt(int threads) throws IOException {
    Layer layer = Layer.of("enc-mem1.tar.gz");
    Span bad = layer.ztoc.span(7);
    layer.bytes[(int) bad.compressedStart() + 20] ^= 1;
    ByteArrayOutputStream read = new ByteArrayOutputStream();

    assertThatThrownBy(() -> new LayerReader(layer.ztoc, layer::read, threads).copyTo(read))
        .isInstanceOf(CorruptSpanException.class)
        .hasMessage(
            "span 7 at compressed offset %d: its bytes do not have the SHA-256 in the zTOC",
            bad.compressedStart());
    assertThat(read.toByteArray())
        .isEqualTo(Arrays.copyOf(layer.tar, (int) bad.uncompressedStart()));
  }

  @Test
  void whatTheSourceThrowsIsThrown() throws IOException {
    Layer layer = Layer.of("enc-mem1.tar.gz");
    SpanReader.Source source =
        (start, end) -> {
          if (start > 50_000) {
            throw new IOException("registry gone");
          }
          return layer.read(start, end);
        };

    assertThatThrownBy(
            () -> new LayerReader(layer.ztoc, source, 2).copyTo(new ByteArrayOutputStream()))
        .isInstanceOf(IOException.class)
        .hasMessage("registry gone");
  }

  @Test
  void whatTheTakerThrowsEndsTheThreads() throws IOException {
    Layer layer = Layer.of("enc-mem1.tar.gz");

    assertThatThrownBy(() ->
            new LayerReader(layer.ztoc, layer::read, 3)
                .read(
                    0,
                    layer.tar.length,
                    (buffer, from, n) -> {
                      throw new IOException("disk full");
                    }))
        .hasMessage("disk full");
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().startsWith("layer-span-"));
  }

  @Test
  void anInterruptEndsIt() throws Exception {
    Layer layer = Layer.of("enc-mem1.tar.gz");
    CountDownLatch reading = new CountDownLatch(1);
    SpanReader.Source stuck =
        (start, end) -> {
          reading.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
          }
          throw new AssertionError();
        };
    Throwable[] thrown = new Throwable[1];
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                new LayerReader(layer.ztoc, stuck, 2).copyTo(new ByteArrayOutputStream());
              } catch (IOException e) {
                thrown[0] = e;
              }
            });

    reading.await();
    caller.interrupt();
    caller.join();

    assertThat(thrown[0]).isInstanceOf(InterruptedIOException.class);
  }

  @Test
  void aStoredLastBlockThatEndsWithTheArchiveIsRead() throws IOException {
    byte[] tar = TestLayers.tar(TestLayers.resource("layers/ustar.tar.gz"), Compression.GZIP);
    Ztoc plain = Ztoc.parse(TestLayers.built(tar, Compression.UNCOMPRESSED, SPAN).bytes());
    byte[] archive = Arrays.copyOf(tar, (int) plain.uncompressedSize());
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (var out =
        new java.util.zip.GZIPOutputStream(gzip) {
          {
            def.setLevel(0);
          }
        }) {
      out.write(archive);
    }
    byte[] layer = gzip.toByteArray();
    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, SPAN).bytes());
    assertThat(ztoc.uncompressedSize()).isEqualTo(archive.length);
    int last = ztoc.spanCount() - 1;

    byte[] decoded = TestLayers.decoded(ztoc, last, TestLayers.spanBytes(layer, ztoc.span(last)));

    assertThat(decoded)
        .isEqualTo(
            Arrays.copyOfRange(archive, (int) ztoc.span(last).uncompressedStart(), archive.length));
  }
}
