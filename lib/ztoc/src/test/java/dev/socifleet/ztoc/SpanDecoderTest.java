package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.ztoc.streams.DeflaterStreams;
import java.util.Arrays;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

/** Single spans. */
class SpanDecoderTest {
  /** Where the archive of the first golden vector ends, its two zero blocks included. */
  private static final int ARCHIVE = 121856;

  /**
   * Found by fuzzing: where a stream's last bytes were literals, its end was noticed in the same
   * step as the span's last bytes, which were thrown away.
   */
  @Test
  void spanWhoseStreamEndsWithItsLastByteIsDecoded() throws Exception {
    byte[] padded = TestLayers.tar(TestLayers.resource("golden/v1.tar.gz"), Compression.GZIP);
    byte[] tar = Arrays.copyOf(padded, ARCHIVE);
    byte[] layer = DeflaterStreams.gzip(tar, 6, Deflater.HUFFMAN_ONLY, 0, tar.length);
    Ztoc ztoc = Ztoc.parse(TestLayers.built(layer, Compression.GZIP, 1000).bytes());
    int index = ztoc.spanCount() - 1;
    Span span = ztoc.span(index);

    byte[] decoded = TestLayers.decoded(ztoc, index, TestLayers.spanBytes(layer, span));

    assertThat(decoded).isEqualTo(Arrays.copyOfRange(tar, (int) span.uncompressedStart(), ARCHIVE));
  }
}
