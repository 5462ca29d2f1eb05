package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PayloadPoolTest {
  @Test
  void noMoreAreOutThanItHas() {
    PayloadPool pool = new PayloadPool(1 << 16, 2, Duration.ZERO);
    Message first = Objects.requireNonNull(pool.take(true));
    assertThat(pool.take(true)).isNotNull();
    assertThat(pool.take(true)).isNull();
    assertThat(pool.take(false)).isNull();
    pool.give(first);
    assertThat(pool.take(false)).isSameAs(first);
  }

  @Test
  void theOneUsedLastIsUsedFirst() {
    PayloadPool pool = new PayloadPool(1 << 16, 20, Duration.ZERO);
    List<Message> taken = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      taken.add(Objects.requireNonNull(pool.take(false)));
    }
    taken.forEach(message -> message.body().put(0, (byte) 7));
    taken.forEach(pool::give);
    // Eight keep their memory; of the others it was given back, and they are zero.
    assertThat(pool.take(false)).isSameAs(taken.get(7));
    int kept = 0;
    for (Message message : taken) {
      kept += message.body().get(0) == 7 ? 1 : 0;
    }
    assertThat(kept).isEqualTo(8);
  }

  @Test
  void whatWasGivenUpIsReplaced() {
    PayloadPool pool = new PayloadPool(1 << 16, 1, Duration.ZERO);
    Message lost = Objects.requireNonNull(pool.take(false));
    pool.giveUp();
    assertThat(pool.take(false)).isNotNull().isNotSameAs(lost);
    assertThat(pool.take(false)).isNull();
  }
}
