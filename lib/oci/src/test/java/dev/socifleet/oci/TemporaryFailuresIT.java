package dev.socifleet.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.socifleet.oci.WireServer.Ending;
import dev.socifleet.oci.WireServer.Reply;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What passes is tried again, what stays is said once and truly. */
class TemporaryFailuresIT extends RegistryFixture {
  private Digest blob;

  @BeforeEach
  void addBlob() {
    blob = registry.addBlob("team/app", utf8("a blob"));
  }

  private int asked() {
    return registry.server().calls().size();
  }

  @Test
  void serverErrorsAreTriedAgain() throws Exception {
    for (int status : new int[] {500, 502, 503}) {
      registry.disturb(1, call -> true, (call, real) -> Reply.of(status));
    }

    assertThat(repository.blobSize(blob)).hasValue(6);
    assertThat(asked()).isEqualTo(4);
  }

  @Test
  void aServerErrorThatStaysFailsForNow() {
    registry.disturb(
        100, call -> true, (call, real) -> Reply.error(503, "UNAVAILABLE", "come back later"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.manifest("latest"));

    assertThat(failure.temporary()).isTrue();
    assertThat(failure.status()).isEqualTo(503);
    assertThat(failure)
        .hasMessage(
            "cannot read manifest latest ("
                + repository.name()
                + "): 503: UNAVAILABLE: come back later");
    assertThat(asked()).isEqualTo(4);
  }

  @Test
  void whatIsRefusedForGoodIsAskedOnce() {
    registry.disturb(1, call -> true, (call, real) -> Reply.error(400, "NAME_INVALID", "no"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.manifest("latest"));

    assertThat(failure.temporary()).isFalse();
    assertThat(failure.codes()).containsExactly("NAME_INVALID");
    assertThat(asked()).isEqualTo(1);
  }

  @Test
  void tooManyRequestsWaitsAsLongAsTheRegistrySays() throws Exception {
    registry.disturb(1, call -> true, (call, real) -> Reply.of(429).with("Retry-After", "1"));
    long began = System.nanoTime();

    assertThat(repository.blobSize(blob)).hasValue(6);

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(990));
    assertThat(asked()).isEqualTo(2);
  }

  @Test
  void aWaitThatIsTooLongFailsAtOnceAndSaysHowLong() {
    registry.disturb(1, call -> true, (call, real) -> Reply.of(429).with("Retry-After", "600"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.retryAfter()).hasValue(Duration.ofMinutes(10));
    assertThat(failure.temporary()).isTrue();
    assertThat(asked()).isEqualTo(1);
  }

  @Test
  void retryAfterMayBeADate() {
    registry.disturb(
        1,
        call -> true,
        (call, real) -> Reply.of(429).with("Retry-After", "Tue, 31 Dec 2999 23:59:59 GMT"));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.retryAfter()).hasValue(Duration.ofHours(1));
  }

  @Test
  void aRetryAfterThatCannotBeReadIsNone() throws Exception {
    registry.disturb(1, call -> true, (call, real) -> Reply.of(503).with("Retry-After", "-soon"));

    assertThat(repository.blobSize(blob)).hasValue(6);
  }

  @Test
  void whoeverAsksAfterATooManyWaitsToo() throws Exception {
    AtomicLong answered = new AtomicLong();
    registry.disturb(
        1,
        call -> true,
        (call, real) -> {
          answered.set(System.nanoTime());
          return Reply.of(429).with("Retry-After", "1");
        });
    Repository other = client.repository(registry.repository("team/other"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = threads.submit((Callable<?>) () -> repository.blobSize(blob));
      while (client.limit(registry.server().host()) == Throttle.MOST) {
        Thread.sleep(5); // until the answer has been read
      }
      other.blobSize(blob);

      assertThat(Duration.ofNanos(System.nanoTime() - answered.get()))
          .isGreaterThan(Duration.ofMillis(990));
      first.get();
    }
  }

  @Test
  void aConnectionThatBreaksBeforeTheAnswerIsTriedAgain() throws Exception {
    registry.disturb(1, call -> true, (call, real) -> real.get().ending(new Ending.Dropped()));
    registry.disturb(1, call -> true, (call, real) -> Reply.of(200).with("Bad Header\u0001", "x"));

    assertThat(repository.blobSize(blob)).hasValue(6);
  }

  @Test
  void aRegistryThatIsGoneFailsForNow() {
    registry.server().close();

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.blobSize(blob));

    assertThat(failure.temporary()).isTrue();
    assertThat(failure.status()).isZero();
    assertThat(failure).hasMessageContaining("cannot find blob " + blob);
  }

  @Test
  void aHugeErrorPageIsNotReadToItsEnd() throws Exception {
    use(Timeouts.STANDARD.answer(), Duration.ofMillis(500));
    registry.disturb(
        1,
        call -> true,
        (call, real) ->
            Reply.of(403, "text/html", new byte[10])
                .with("Content-Length", "2000000000")
                .ending(new Ending.Stall(10)));

    RegistryException failure =
        catchThrowableOfType(RegistryException.class, () -> repository.manifest("latest"));

    assertThat(failure.status()).isEqualTo(403);
    assertThat(failure.denied()).isTrue();
    assertThat(failure).hasMessageContaining("configure a credential");
  }

  @Test
  void secretsInErrorsAreNotRepeated() {
    registry.disturb(
        1,
        call -> true,
        (call, real) ->
            Reply.error(
                400,
                "BAD",
                "GET https://joe:pw1@store.example/a?X-Amz-Signature=pw2 with Bearer pw3 failed"));

    assertThat(catchThrowableOfType(RegistryException.class, () -> repository.manifest("latest")))
        .message()
        .contains("store.example")
        .doesNotContain("pw1", "pw2", "pw3");
  }

  /**
   * The registry bears three at a time: everybody gets through, since ever fewer ask at once. Who
   * has one of the three places keeps it until somebody was refused, however slow the machine is,
   * or until no more than three can come at once.
   */
  @Test
  void aBusyRegistryIsAskedByFewerAtATime() throws Exception {
    int asking = 100;
    Semaphore places = new Semaphore(3);
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger left = new AtomicInteger(asking);
    registry.disturb(
        Integer.MAX_VALUE,
        call -> true,
        (call, real) -> {
          if (!places.tryAcquire()) {
            refused.incrementAndGet();
            return Reply.of(429).with("Retry-After", "0");
          }
          try {
            int before = refused.get();
            while (refused.get() == before
                && Math.min(left.get(), client.limit(registry.server().host())) > 3) {
              Thread.sleep(1);
            }
            left.decrementAndGet();
            return real.get();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          } finally {
            places.release();
          }
        });

    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Boolean>> answers =
          IntStream.range(0, asking).mapToObj(_ -> threads.submit(() -> untilAnswered())).toList();
      for (Future<Boolean> answer : answers) {
        assertThat(answer.get()).isTrue();
      }
    }
    assertThat(client.limit(registry.server().host())).isLessThan(Throttle.MOST / 2);
  }

  /** As a service does: what fails for now comes again. */
  private boolean untilAnswered() throws Exception {
    while (true) {
      try {
        return repository.blobSize(blob).isPresent();
      } catch (RegistryException e) {
        assertThat(e.temporary()).isTrue();
      }
    }
  }
}
