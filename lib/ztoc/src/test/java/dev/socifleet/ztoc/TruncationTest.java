package dev.socifleet.ztoc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A layer that is cut anywhere: never a zTOC, always a reason that says where. */
class TruncationTest {
  @Test
  void compressedLayerCutAtAnyByteIsRefusedWithTheOffset() {
    byte[] layer = TestLayers.resource("golden/v2.tar.gz");
    for (int length = 0; length < layer.length; length++) {
      ZtocOutcome outcome = TestLayers.build(Arrays.copyOf(layer, length), Compression.GZIP, 16384);

      assertThat(outcome).as("cut to %s", length).isInstanceOf(ZtocOutcome.NotIndexable.class);
      ZtocOutcome.NotIndexable refused = (ZtocOutcome.NotIndexable) outcome;
      // Cut between members, the gzip stream is whole and it is the tar in it that misses bytes.
      boolean inTheTar = refused.reason().contains("uncompressed offset");
      assertThat(noticedAt(refused))
          .as("%s", refused.reason())
          .isLessThanOrEqualTo(inTheTar ? 121856 : length);
    }
  }

  @Test
  void plainTarCutInAHeaderOrInDataIsRefusedWithTheOffset() {
    byte[] tar = TestLayers.tar(TestLayers.resource("golden/v2.tar.gz"), Compression.GZIP);
    int refused = 0;
    for (int length = 1; length < tar.length; length += 97) {
      ZtocOutcome outcome =
          TestLayers.build(Arrays.copyOf(tar, length), Compression.UNCOMPRESSED, 16384);

      if (outcome instanceof ZtocOutcome.NotIndexable not) {
        refused++;
        assertThat(noticedAt(not)).as("%s", not.reason()).isLessThanOrEqualTo(length);
      }
    }
    // What is left is cut behind a member: an archive needs no end.
    assertThat(refused).isGreaterThan(tar.length / 97 / 2);
  }

  private static long noticedAt(ZtocOutcome.NotIndexable refused) {
    return Long.parseLong(refused.reason().replaceFirst(".* offset (\\d+)$", "$1"));
  }
}
