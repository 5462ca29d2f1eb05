package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every recorded layer, at every recorded span size: the same zTOC as the existing tool made, or
 * refused as it was refused there; and what was built can be read.
 */
class ExistingToolLayersTest {
  static Stream<Arguments> recorded() throws IOException {
    JsonNode layers = new ObjectMapper().readTree(TestLayers.resource("layers.json"));
    return layers.properties().stream()
        .flatMap(layer ->
            layer.getValue().get("ztoc").properties().stream()
                .map((Map.Entry<String, JsonNode> ztoc) ->
                    Arguments.of(layer.getKey(), Long.valueOf(ztoc.getKey()), ztoc.getValue())));
  }

  @ParameterizedTest(name = "{0} at {1}")
  @MethodSource("recorded")
  void layerGetsTheExistingToolsZtocOrIsRefused(String name, long spanSize, JsonNode expected)
      throws IOException {
    byte[] layer = TestLayers.resource("layers/" + name);
    Compression compression = TestLayers.compressionOf(name);

    ZtocOutcome outcome = TestLayers.build(layer, compression, spanSize);

    if (expected.has("error")) {
      assertThat(outcome).isInstanceOf(ZtocOutcome.NotIndexable.class);
      assertThat(((ZtocOutcome.NotIndexable) outcome).reason())
          .doesNotContain("\n")
          .matches(".* at (un)?compressed offset \\d+");
      return;
    }
    assertThat(outcome).isInstanceOf(ZtocOutcome.Built.class);
    ZtocOutcome.Built built = (ZtocOutcome.Built) outcome;
    assertThat(built.digest()).isEqualTo(expected.get("digest").asText());
    assertThat(built.bytes()).hasSize(expected.get("size").asInt());
    checkSpans(layer, TestLayers.tar(layer, compression), built.bytes());
  }

  private static void checkSpans(byte[] layer, byte[] tar, byte[] bytes) throws IOException {
    Ztoc ztoc = Ztoc.parse(bytes);
    long at = 0;
    for (int i = 0; i < ztoc.spanCount(); i++) {
      Span span = ztoc.span(i);
      assertThat(span.uncompressedStart()).isEqualTo(at);
      byte[] decoded = TestLayers.decoded(ztoc, i, TestLayers.spanBytes(layer, span));
      assertThat(
              Arrays.equals(
                  decoded,
                  0,
                  decoded.length,
                  tar,
                  (int) span.uncompressedStart(),
                  (int) span.uncompressedEnd()))
          .as("span %d", i)
          .isTrue();
      at = span.uncompressedEnd();
    }
    assertThat(at).isGreaterThanOrEqualTo(ztoc.uncompressedSize());
  }
}
