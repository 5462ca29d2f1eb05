package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A download that ended early: wherever it did, that is said, and where. */
@Timeout(300)
class TruncatedLayerTest {
  @ParameterizedTest
  @CsvSource({"layers/concatenated.tar.gz, 1", "layers/types.tar.gz, 1", "golden/v2.tar.gz, 13"})
  void aGzipLayerCutAnywhereIsRefusedWithTheOffset(String name, int step) {
    byte[] layer = TestLayers.resource(name);
    for (int length = 0; length < layer.length; length += step) {
      ZtocOutcome outcome =
          TestLayers.build(Arrays.copyOf(layer, length), Compression.GZIP, 10_000);

      assertThat(outcome).as("cut to %d", length).isInstanceOf(ZtocOutcome.NotIndexable.class);
      assertThat(((ZtocOutcome.NotIndexable) outcome).reason())
          .as("cut to %d", length)
          .matches(".+ at (un)?compressed offset \\d+");
    }
  }

  /** A tar may end wherever a header could begin, so only some cuts can be noticed. */
  @ParameterizedTest
  @ValueSource(strings = {"layers/plain-ustar.tar", "layers/plain-pax-rich.tar"})
  void aPlainLayerCutInAMemberIsRefusedWithTheOffset(String name) throws IOException {
    byte[] layer = TestLayers.resource(name);
    int refused = 0;
    for (int length = 0; length < layer.length; length += 89) {
      ZtocOutcome outcome =
          TestLayers.build(Arrays.copyOf(layer, length), Compression.UNCOMPRESSED, 10_000);
      if (outcome instanceof ZtocOutcome.NotIndexable not) {
        assertThat(not.reason()).matches("tar: .+ at uncompressed offset \\d+");
        refused++;
      } else {
        Ztoc ztoc = Ztoc.parse(((ZtocOutcome.Built) outcome).bytes());
        assertThat(ztoc.compressedSize()).isEqualTo(length);
      }
    }
    assertThat(refused).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"golden/v1.tar.gz, 16384", "golden/v2.tar.gz, 1", "layers/plain-ustar.tar, 10000"})
  void aSpanCutAnywhereIsRefusedWithItsOffset(String name, long spanSize) throws IOException {
    byte[] layer = TestLayers.resource(name);
    Ztoc ztoc =
        Ztoc.parse(TestLayers.built(layer, TestLayers.compressionOf(name), spanSize).bytes());
    SpanDecoder decoder = new SpanDecoder();
    for (int i = 0; i < ztoc.spanCount(); i++) {
      byte[] span = TestLayers.spanBytes(layer, ztoc.span(i));
      int index = i;
      for (int length = 0; length < span.length; length++) {
        byte[] cut = Arrays.copyOf(span, length);
        assertThatThrownBy(() -> decoder.start(ztoc, index, cut))
            .isInstanceOf(CorruptSpanException.class)
            .hasMessage(
                "span %d at compressed offset %d: %d bytes, expected %d",
                index, ztoc.span(index).compressedStart(), length, span.length);
      }
    }
  }
}
