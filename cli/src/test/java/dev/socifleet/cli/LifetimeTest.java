package dev.socifleet.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  private final List<String> closed = new ArrayList<>();

  private AutoCloseable part(String name) {
    return () -> closed.add(name);
  }

  @Test
  void partsEndInReverseOrderOnce() throws Exception {
    Lifetime life = Lifetime.begin();
    life.start(() -> part("first"));
    life.start(() -> part("second"));
    life.close();
    life.close();
    assertThat(closed).containsExactly("second", "first");
  }

  @Test
  void aPartThatFailsToCloseKeepsNoOtherFromIt() throws Exception {
    Lifetime life = Lifetime.begin();
    life.start(() -> part("first"));
    life.start(() ->
        (AutoCloseable)
            () -> {
              throw new IOException("refuses");
            });
    life.close();
    assertThat(closed).containsExactly("first");
  }

  @Test
  void nothingStartsAfterTheEnd() {
    Lifetime life = Lifetime.begin();
    life.close();
    assertThatThrownBy(() -> life.start(() -> part("late")))
        .isInstanceOf(InterruptedException.class);
    assertThat(closed).isEmpty();
  }

  @Test
  void closingIsNotCutShortByAnInterruptionAndKeepsIt() throws Exception {
    Lifetime life = Lifetime.begin();
    List<Boolean> interrupted = new ArrayList<>();
    life.start(() -> () -> interrupted.add(Thread.currentThread().isInterrupted()));
    Thread.currentThread().interrupt();
    life.close();
    assertThat(interrupted).containsExactly(false);
    assertThat(Thread.interrupted()).isTrue();
  }
}
