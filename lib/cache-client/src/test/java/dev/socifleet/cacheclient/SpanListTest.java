package dev.socifleet.cacheclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.socifleet.cacheclient.FleetCache.SpanRange;
import dev.socifleet.oci.ByteRange;
import dev.socifleet.oci.Digest;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpanListTest {
  /** The last byte that a range may name. */
  private static final long LAST_BYTE = 999_999_999_999_999_999L;

  private static final SpanRange SPAN =
      new SpanRange(new Digest("sha512", "ab".repeat(64)), new ByteRange(LAST_BYTE, LAST_BYTE + 1));

  @Test
  void theLongestListFitsIntoABody() {
    SpanList list = new SpanList(Collections.nCopies(SpanList.MOST_SPANS, SPAN));
    assertThat(list.toJson().length).isLessThanOrEqualTo(SpanList.LONGEST_BODY);
    assertThat(SpanList.parse(list.toJson())).isEqualTo(list);
  }

  @Test
  void damagedListsAreReadOrRefusedAndNothingElse() {
    long seed = 42;
    Random random = new Random(seed);
    byte[] good = new SpanList(List.of(SPAN, SPAN)).toJson();
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = good.clone();
      for (int j = random.nextInt(4); j >= 0; j--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(SpanList.parse(bad).spans()).hasSizeBetween(1, 2);
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }

  @Test
  void emptyAndTooLongListsAreRefused() {
    assertThatThrownBy(() -> new SpanList(List.of())).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SpanList(Collections.nCopies(257, SPAN)))
        .hasMessageContaining("not 257");
  }
}
