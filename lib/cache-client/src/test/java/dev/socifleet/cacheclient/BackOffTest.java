package dev.socifleet.cacheclient;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackOffTest {
  private long nanos = Long.MAX_VALUE - 1_000; // overflows soon, as System.nanoTime may
  private final BackOff backOff = new BackOff(Duration.ofMinutes(1), () -> nanos);

  private void pass(long millis) {
    nanos += Duration.ofMillis(millis).toNanos();
  }

  @Test
  void whoNeverFailedIsAlwaysAsked() {
    for (int i = 0; i < 10; i++) {
      assertThat(backOff.enter()).isTrue();
    }
  }

  @Test
  void aFailureIsFollowedByAPauseAndOneTry() {
    assertThat(backOff.enter()).isTrue();
    backOff.failed();
    assertThat(backOff.quiet()).isTrue();
    assertThat(backOff.enter()).isFalse();
    pass(BackOff.FIRST_MILLIS * 6 / 5 + 1);
    assertThat(backOff.enter()).isTrue();
    assertThat(backOff.enter()).as("a second try while the first is under way").isFalse();
    backOff.succeeded();
    assertThat(backOff.enter()).isTrue();
    assertThat(backOff.enter()).isTrue();
  }

  @Test
  void pausesDoubleUpToTheLongest() {
    long pause = BackOff.FIRST_MILLIS;
    for (int failure = 0; failure < 40; failure++) {
      assertThat(backOff.enter()).isTrue();
      backOff.failed();
      pass(pause * 4 / 5 - 1);
      assertThat(backOff.quiet()).as("before pause %s is over", failure).isTrue();
      pass(pause * 2 / 5 + 2);
      assertThat(backOff.quiet()).as("after pause %s", failure).isFalse();
      pause = Math.min(BackOff.LONGEST_MILLIS, pause * 2);
    }
  }

  @Test
  void aTryThatNobodyTellsOfIsFollowedByAnother() {
    assertThat(backOff.enter()).isTrue();
    backOff.failed();
    pass(BackOff.LONGEST_MILLIS);
    assertThat(backOff.enter()).isTrue();
    pass(60_001);
    assertThat(backOff.enter()).isTrue();
    backOff.abandoned();
    assertThat(backOff.enter()).isTrue();
  }

  @Test
  void aPauseThatWasAskedForIsKept() {
    backOff.pause(Duration.ofSeconds(2));
    assertThat(backOff.enter()).isFalse();
    pass(2_001);
    assertThat(backOff.enter()).isTrue();
    assertThat(backOff.enter()).isTrue();
  }
}
