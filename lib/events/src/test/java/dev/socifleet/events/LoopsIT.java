package dev.socifleet.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The loops against a real broker. It makes some eighty partitions for each test, each with files
 * that it forces to the disk, and takes no record for one before that is done: on a slow disk more
 * than the standard time-outs.
 */
class LoopsIT {
  private static final RepositoryName REPOSITORY = new RepositoryName("localhost:5000", "team/app");
  private static final AtomicInteger PREFIXES = new AtomicInteger();
  private static final Map<String, String> PATIENT =
      Map.of(
          "delivery.timeout.ms",
          "200000",
          "max.block.ms",
          "200000",
          "default.api.timeout.ms",
          "200000");

  @TempDir static Path directory;
  private static EmbeddedBroker broker;
  private KafkaAccess access;

  @BeforeAll
  static void startBroker() throws Exception {
    broker = EmbeddedBroker.start(directory, 0);
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  @BeforeEach
  void freshTopics() {
    access =
        new KafkaAccess(broker.bootstrap(), "t" + PREFIXES.incrementAndGet(), (short) 1, PATIENT);
    assertThat(Topics.prepare(access)).isEmpty();
    assertThat(Topics.prepare(access)).as("a second time").isEmpty();
  }

  private static PushEvent.ImagePushed push(int number) {
    return new PushEvent.ImagePushed(REPOSITORY, "test", "tag" + number, null, Instant.now());
  }

  private static LayerTask task(int number) {
    return new LayerTask(
        REPOSITORY,
        "plan",
        Digest.of(new byte[] {(byte) number}),
        "x",
        1,
        4194304,
        1,
        Instant.now());
  }

  /** A consumer that is done at once with what it receives. */
  private static EventConsumer collect(
      EventProducer producer, Topic topic, String group, List<Event> received) {
    return EventConsumer.start(
        producer,
        topic,
        group,
        (event, partition, done) -> {
          received.add(event);
          done.run();
        });
  }

  private static ConditionFactory patiently() {
    return await().atMost(Duration.ofSeconds(200));
  }

  @Test
  void anUnreachableBrokerIsAReasonInOneLine() {
    assertThat(
            Topics.prepare(
                new KafkaAccess(
                    "127.0.0.1:1", "x", (short) 1, Map.of("default.api.timeout.ms", "500"))))
        .hasValueSatisfying(
            reason -> assertThat(reason).contains("127.0.0.1:1").doesNotContain("\n"));
  }

  @Test
  void eventsOfARepositoryArriveInOrder() throws Exception {
    List<Event> received = new CopyOnWriteArrayList<>();
    List<Event> sent = new ArrayList<>();
    try (var producer = new EventProducer(access);
        var _ = collect(producer, Topic.PUSHES, "planners", received)) {
      for (int i = 0; i < 50; i++) {
        sent.add(push(i));
      }
      producer.sendAll(Topic.PUSHES, sent);
      patiently().untilAsserted(() -> assertThat(received).isEqualTo(sent));
    }
  }

  /** Without care the first record is kept out by those after it for ever (KAFKA-15591). */
  @Test
  void recordsForAPartitionThatItsBrokerIsStillMakingArriveInOrder() throws Exception {
    List<Event> received = new CopyOnWriteArrayList<>();
    List<Event> sent = List.of(push(1), push(2), push(3));
    try (var unready = new UnreadyLeader(broker.port());
        var producer =
            new EventProducer(
                new KafkaAccess(unready.bootstrap(), access.prefix(), (short) 1, PATIENT));
        var direct = new EventProducer(access);
        var _ = collect(direct, Topic.PUSHES, "planners", received)) {
      // Sent one by one: what is sent together may travel in one batch.
      var first =
          new FutureTask<>(() -> {
            producer.send(Topic.PUSHES, sent.getFirst());
            return true;
          });
      Thread.ofVirtual().start(first);
      patiently().until(unready::isRefusing);
      producer.sendAll(Topic.PUSHES, sent.subList(1, 3));
      first.get(200, TimeUnit.SECONDS);
      patiently().untilAsserted(() -> assertThat(received).isEqualTo(sent));
    }
  }

  @Test
  void theLargestRecordThatIsWrittenIsTaken() throws Exception {
    String source = "x".repeat((1 << 20) - (33 << 10));
    try (var producer = new EventProducer(access)) {
      producer.send(
          Topic.PUSHES, new PushEvent.ImagePushed(REPOSITORY, source, "1", null, Instant.now()));
    }
  }

  @Test
  void aRecordThatIsNotDoneComesAgainToTheNextMember() throws Exception {
    List<Event> first = new CopyOnWriteArrayList<>();
    List<Event> second = new CopyOnWriteArrayList<>();
    try (var producer = new EventProducer(access)) {
      List<Event> sent = List.of(push(1), push(2), push(3));
      producer.sendAll(Topic.PUSHES, sent);
      try (var _ =
          EventConsumer.start(
              producer,
              Topic.PUSHES,
              "planners",
              (event, partition, done) -> {
                first.add(event);
                if (first.size() != 2) {
                  done.run(); // the second one stays open, so the third can't be committed either
                }
              })) {
        patiently().until(() -> first.size() == 3);
      }
      try (var _ = collect(producer, Topic.PUSHES, "planners", second)) {
        patiently().untilAsserted(() -> assertThat(second).isEqualTo(sent.subList(1, 3)));
      }
    }
  }

  @Test
  void aRecordWhoseHandlerAlwaysFailsEndsInTheDeadLettersAndHoldsNothingBack() throws Exception {
    List<Event> handled = new CopyOnWriteArrayList<>();
    try (var producer = new EventProducer(access);
        var _ =
            EventConsumer.start(
                producer,
                Topic.PUSHES,
                "planners",
                (event, partition, done) -> {
                  if (event instanceof PushEvent.ImagePushed pushed
                      && "tag1".equals(pushed.tag())) {
                    throw new IllegalStateException("on purpose");
                  }
                  handled.add(event);
                  done.run();
                })) {
      producer.sendAll(Topic.PUSHES, List.of(push(1), push(2)));
      patiently().until(() -> handled.size() == 1);
      List<Event> dead = new CopyOnWriteArrayList<>();
      try (var _ = collect(producer, Topic.DEAD_LETTERS, "test", dead)) {
        patiently().until(() -> dead.size() == 1);
      }
    }
  }

  @Test
  void everyTaskIsDoneOnceHoweverManySlotsThereAre() throws Exception {
    List<LayerTask> done = new CopyOnWriteArrayList<>();
    try (var producer = new EventProducer(access)) {
      List<LayerTask> sent = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        sent.add(task(i));
      }
      producer.sendAll(
          Topic.LAYERS, sent); // before the group's first start: it must not begin at the end
      try (var _ =
          TaskConsumer.start(
              producer, Topic.LAYERS, TaskConsumer.GROUP, 3, (task, delivery) -> done.add(task))) {
        patiently().untilAsserted(() -> assertThat(done).containsExactlyInAnyOrderElementsOf(sent));
      }
    }
  }

  @Test
  void aTaskThatTakesLongerThanItsLockIsNotGivenToAnother() throws Exception {
    AtomicInteger begun = new AtomicInteger();
    AtomicInteger ended = new AtomicInteger();
    try (var producer = new EventProducer(access);
        var _ =
            TaskConsumer.start(
                producer,
                Topic.LAYERS,
                TaskConsumer.GROUP,
                2,
                (task, delivery) -> {
                  begun.incrementAndGet();
                  Thread.sleep(Duration.ofSeconds(40)); // the broker's lock lasts 30 s
                  ended.incrementAndGet();
                })) {
      producer.send(Topic.LAYERS, task(1));
      patiently().until(() -> ended.get() == 1);
      assertThat(begun).hasValue(1);
    }
  }

  @Test
  void aTaskWhoseWorkerDiesGoesToAnother() throws Exception {
    AtomicInteger deliveries = new AtomicInteger();
    try (var producer = new EventProducer(access)) {
      producer.send(Topic.LAYERS, task(1));
      AtomicInteger begun = new AtomicInteger();
      try (var _ =
          TaskConsumer.start(
              producer,
              Topic.LAYERS,
              TaskConsumer.GROUP,
              1,
              (task, delivery) -> {
                begun.incrementAndGet();
                Thread.sleep(Duration.ofMinutes(1));
              })) {
        patiently().until(() -> begun.get() == 1);
      }
      try (var _ =
          TaskConsumer.start(
              producer,
              Topic.LAYERS,
              TaskConsumer.GROUP,
              1,
              (task, delivery) -> deliveries.set(delivery))) {
        patiently().untilAsserted(() -> assertThat(deliveries.get()).isGreaterThanOrEqualTo(2));
      }
    }
  }

  @Test
  void aDelayedEventComesToItsTopicAfterTheDelay() throws Exception {
    List<Event> received = new CopyOnWriteArrayList<>();
    try (var producer = new EventProducer(access);
        var _ = Delays.start(producer);
        var _ = collect(producer, Topic.PUSHES, "planners", received)) {
      Instant before = Instant.now();
      Delays.later(producer, Topic.PUSHES, push(1), 1, Optional.empty());
      patiently().until(() -> received.size() == 1);
      assertThat(Duration.between(before, Instant.now()))
          .isGreaterThanOrEqualTo(Duration.ofSeconds(9));
    }
  }
}
