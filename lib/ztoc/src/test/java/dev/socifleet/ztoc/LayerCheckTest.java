package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.socifleet.ztoc.inflate.Inflate;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(300)
class LayerCheckTest {
  private static final String LAYER = "layers/enc-mem1.tar.gz";

  static Stream<String> indexable() throws IOException {
    return new ObjectMapper()
        .readTree(TestLayers.resource("layers.json")).properties().stream()
            .filter(layer -> !layer.getValue().get("ztoc").get("4194304").has("error"))
            .map(layer -> "layers/" + layer.getKey());
  }

  @ParameterizedTest
  @MethodSource("indexable")
  void whatWasBuiltOfALayerFitsIt(String name) throws IOException {
    byte[] layer = TestLayers.resource(name);

    check(TestLayers.built(layer, TestLayers.compressionOf(name), 10_000).bytes(), layer);
  }

  @Test
  void aWindowWithAWrongByteIsFound() throws IOException {
    byte[] layer = TestLayers.resource(LAYER);
    byte[] ztoc = TestLayers.built(layer, Compression.GZIP, 10_000).bytes();
    int span = 5;
    int window = Ztoc.parse(ztoc).windowOffset(span);
    for (int i = 0; i < Inflate.WINDOW; i++) {
      ztoc[window + i] ^= 1;
    }

    assertThatThrownBy(() -> check(ztoc, layer))
        .isInstanceOf(MismatchException.class)
        .hasMessageMatching(
            "span 5, uncompressed offset \\d+ to \\d+: its checkpoint gives other bytes than the layer has");
  }

  @Test
  void aFileThatDiffersIsNamed() throws IOException {
    byte[] layer = TestLayers.resource("layers/ustar.tar.gz");
    byte[] ztoc = TestLayers.built(layer, Compression.GZIP, 10_000).bytes();
    String name = Ztoc.parse(ztoc).toc().nameText(3);
    int at = indexOf(ztoc, name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    ztoc[at] ^= 2;

    assertThatThrownBy(() -> check(ztoc, layer))
        .isInstanceOf(MismatchException.class)
        .hasMessageContaining("its name in the zTOC is not that in the layer");
  }

  @Test
  void anotherLayerIsFound() throws IOException {
    byte[] ztoc = TestLayers.built(TestLayers.resource(LAYER), Compression.GZIP, 10_000).bytes();

    // The same tar, compressed otherwise: only the spans differ.
    assertThatThrownBy(() -> check(ztoc, TestLayers.resource("layers/enc-gzip-6.tar.gz")))
        .isInstanceOf(MismatchException.class)
        .hasMessageMatching("the zTOC is of a layer with \\d+ bytes, this one has \\d+");
    assertThatThrownBy(() -> check(ztoc, TestLayers.resource("layers/ustar.tar.gz")))
        .isInstanceOf(MismatchException.class);
  }

  @Test
  void aChangedLayerIsFound() throws IOException {
    byte[] layer = TestLayers.resource(LAYER);
    byte[] ztoc = TestLayers.built(layer, Compression.GZIP, 10_000).bytes();
    byte[] changed = layer.clone();
    changed[4] ^= 1; // the header's time: nothing that decoding would notice
    changed[9] ^= 1;
    check(ztoc, changed);
    changed[layer.length / 2] ^= 1;

    assertThatThrownBy(() -> check(ztoc, changed)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> check(ztoc, Arrays.copyOf(layer, layer.length - 9)))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("compressed data ends .* at compressed offset \\d+");
  }

  private static void check(byte[] ztoc, byte[] layer) throws IOException {
    LayerCheck.check(
        Ztoc.parse(ztoc),
        new ByteArrayInputStream(layer),
        (start, end) -> Arrays.copyOfRange(layer, (int) start, (int) end),
        2);
  }

  private static int indexOf(byte[] all, byte[] wanted) {
    for (int i = 0; ; i++) {
      if (Arrays.equals(all, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
  }
}
