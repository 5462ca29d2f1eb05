package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class ThrottleTest {
  private final Throttle throttle = new Throttle(Duration.ofMillis(20));

  @Test
  void oneRefusalHalvesAndManyOfTheSameTimeCountOnce() throws Exception {
    long first = throttle.enter();
    long second = throttle.enter();

    throttle.leaveRefused(first, Duration.ZERO);
    throttle.leaveRefused(second, Duration.ZERO);

    assertThat(throttle.limit()).isEqualTo(Throttle.MOST / 2);
  }

  @Test
  void refusalsInTurnLeaveOneAtATime() throws Exception {
    for (int i = 0; i < 20; i++) {
      throttle.leaveRefused(throttle.enter(), Duration.ZERO);
    }

    assertThat(throttle.limit()).isEqualTo(1);
    long only = throttle.enter();
    assertThatThrownBy(throttle::enter)
        .isInstanceOf(TimeoutException.class)
        .hasMessageContaining("1 requests to this registry are running");
    throttle.leaveRefused(only, Duration.ZERO);
  }

  @Test
  void aRoundOfAnswersAddsOne() throws Exception {
    for (int i = 0; i < 4; i++) {
      throttle.leaveRefused(throttle.enter(), Duration.ZERO);
    }
    int before = throttle.limit();

    for (int i = 0; i < before; i++) {
      throttle.enter();
      throttle.leaveAnswered();
    }

    assertThat(throttle.limit()).isEqualTo(before + 1);
  }

  @Test
  void nobodyEntersBeforeTheRegistryWantsTo() throws Exception {
    long refused = throttle.enter();
    throttle.leaveRefused(refused, Duration.ofHours(1));
    long began = System.nanoTime();

    throttle.enter(); // after our own longest wait

    assertThat(System.nanoTime() - began).isGreaterThan(Duration.ofMillis(15).toNanos());
  }

  @Test
  void whatGotNoAnswerTeachesNothing() throws Exception {
    throttle.enter();
    throttle.leave();

    assertThat(throttle.limit()).isEqualTo(Throttle.MOST);
  }
}
