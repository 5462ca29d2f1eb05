package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** zTOCs of the first version, whose checkpoints lack the one at the layer's start. */
class FirstVersionTest {
  @Test
  void spansAreThoseOfTheSecondVersion() throws IOException {
    byte[] layer = TestLayers.resource("golden/v1.tar.gz");
    byte[] bytes = TestLayers.built(layer, Compression.GZIP, 16384).bytes();
    Ztoc second = Ztoc.parse(bytes);

    Ztoc first = Ztoc.parse(asFirstVersion(second, bytes));

    assertThat(first.spanCount()).isEqualTo(7);
    assertThat(first.spanSize()).isEqualTo(16384);
    assertThat(first.windowOffset(0)).isEqualTo(-1);
    for (int i = 0; i < first.spanCount(); i++) {
      assertThat(first.span(i))
          .usingRecursiveComparison()
          .as("span %d", i)
          .isEqualTo(second.span(i));
    }
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    new LayerReader(first, (from, to) -> Arrays.copyOfRange(layer, (int) from, (int) to), 2)
        .copyTo(read);
    byte[] tar = TestLayers.tar(layer, Compression.GZIP);
    assertThat(read.toByteArray()).isEqualTo(Arrays.copyOf(tar, (int) first.uncompressedSize()));
  }

  /** The same without files, and without the first checkpoint. */
  private static byte[] asFirstVersion(Ztoc ztoc, byte[] bytes) {
    int head = ztoc.windowOffset(0) - Checkpoints.WINDOW - Checkpoints.HEAD;
    int stored = ztoc.spanCount() - 1;
    ZtocWriter writer = new ZtocWriter(ztoc.buildTool(), 1024);
    return writer.finish(
        writer.toc(new FileList()),
        Checkpoints.HEAD + stored * Checkpoints.SIZE,
        to -> {
          to.put(bytes, head, Checkpoints.HEAD);
          to.put(bytes, head + Checkpoints.HEAD + Checkpoints.SIZE, stored * Checkpoints.SIZE);
        },
        java.util.stream.IntStream.range(0, ztoc.spanCount())
            .mapToObj(i -> ztoc.span(i).sha256())
            .toList(),
        ztoc.spanCount() - 1,
        Compression.GZIP,
        ztoc.compressedSize(),
        ztoc.uncompressedSize());
  }
}
