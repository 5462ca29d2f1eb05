package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class ThrottleTest {
  private static final Duration LONGEST_WAIT = Duration.ofMillis(20);

  private final Throttle throttle = new Throttle(LONGEST_WAIT);

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
    long began = System.nanoTime();
    throttle.leaveRefused(refused, LONGEST_WAIT);

    throttle.enter();

    assertThat(System.nanoTime() - began).isGreaterThan(LONGEST_WAIT.toNanos() * 3 / 4);
  }

  @Test
  void whoHasToWaitLongerThanWeEverDoKeepsNobodyElseOut() throws Exception {
    throttle.leaveRefused(throttle.enter(), Duration.ofHours(1));

    throttle.enter(); // at once, else the test runs out of time

    assertThat(throttle.limit()).isEqualTo(Throttle.MOST / 2);
  }

  @Test
  void whatGotNoAnswerTeachesNothing() throws Exception {
    throttle.enter();
    throttle.leave();

    assertThat(throttle.limit()).isEqualTo(Throttle.MOST);
  }
}
