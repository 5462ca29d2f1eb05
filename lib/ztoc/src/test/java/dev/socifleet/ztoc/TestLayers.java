package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/** The layers in the test's resources, and what tests do with layers. */
final class TestLayers {
  private TestLayers() {}

  /** A file of the test's resources, by its path in them. */
  static byte[] resource(String path) {
    try (InputStream in = TestLayers.class.getResourceAsStream("/" + path)) {
      return Objects.requireNonNull(in, path).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Compression compressionOf(String name) {
    return name.endsWith(".gz") ? Compression.GZIP : Compression.UNCOMPRESSED;
  }

  /** The whole tar, decompressed by the JDK. */
  static byte[] tar(byte[] layer, Compression compression) {
    if (compression == Compression.UNCOMPRESSED) {
      return layer;
    }
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(layer))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ZtocOutcome build(byte[] layer, Compression compression, long spanSize) {
    try {
      return ZtocBuilder.build(
          new ByteArrayInputStream(layer), compression, ZtocOptions.ofSpanSize(spanSize));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ZtocOutcome.Built built(byte[] layer, Compression compression, long spanSize) {
    ZtocOutcome outcome = build(layer, compression, spanSize);
    return switch (outcome) {
      case ZtocOutcome.Built built -> built;
      case ZtocOutcome.NotIndexable not -> throw new AssertionError(not.reason());
    };
  }

  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(SpanHasher.sha256().digest(bytes));
  }

  /** All of a span, of which these are the compressed bytes. */
  static byte[] decoded(Ztoc ztoc, int index, byte[] bytes) throws IOException {
    SpanDecoder decoder = SpanDecoders.take();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    decoder.start(ztoc, index, bytes);
    decoder.decode(all::write);
    assertThat(decoder.done()).isTrue();
    SpanDecoders.giveBack(decoder);
    return all.toByteArray();
  }

  /** The compressed bytes of a span. */
  static byte[] spanBytes(byte[] layer, Span span) {
    return Arrays.copyOfRange(layer, (int) span.compressedStart(), (int) span.compressedEnd());
  }
}
