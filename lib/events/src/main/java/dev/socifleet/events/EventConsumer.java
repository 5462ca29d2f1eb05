package dev.socifleet.events;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumes a topic in a group, in order within a partition, at least once.
 *
 * <p>Two threads: one polls, always, so that long work costs no membership; one handles, a batch at
 * a time, while the partitions are paused. A record is finished when its handler says so, which may
 * be long after it returned; a partition's committed offset is that of its first unfinished record.
 * A kill therefore repeats work and loses none.
 *
 * <p>A record that can't be read, or whose handler fails {@value #ATTEMPTS} times, goes to the dead
 * letters. While Kafka can't be reached the handler is retried for ever: there is nowhere to put
 * the record.
 */
public final class EventConsumer implements AutoCloseable {
  /** Does a record's work. One thread. */
  public interface Handler {
    /**
     * @param partition where the record came from
     * @param done to be run once, now or later, by any thread, when the record's work is finished
     */
    void handle(Event event, int partition, Runnable done) throws Exception;

    /**
     * These partitions are another member's now: what was begun for their records is to be
     * forgotten.
     */
    default void lost(Collection<Integer> partitions) {}
  }

  private static final Logger LOG = LoggerFactory.getLogger(EventConsumer.class);
  private static final int ATTEMPTS = 5;
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration COMMIT_EVERY = Duration.ofSeconds(1);

  private final KafkaAccess access;
  private final String topic;
  private final String group;
  private final Handler handler;
  private final DeadLetters deadLetters;
  private final Map<TopicPartition, Progress> progress = new ConcurrentHashMap<>();
  private final ExecutorService handling =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("handle-", 0).factory());
  private final Thread polling;
  private volatile boolean closing;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private volatile @Nullable String trouble = "not connected to Kafka yet";

  private EventConsumer(EventProducer producer, Topic topic, String group, Handler handler) {
    access = producer.access();
    this.topic = access.topic(topic);
    this.group = access.group(group);
    this.handler = handler;
    deadLetters = new DeadLetters(producer);
    polling = Thread.ofPlatform().daemon().name("consume-" + this.topic).unstarted(this::run);
  }

  /**
   * Starts consuming.
   *
   * @param producer for what goes to the dead letters
   * @param group the group's name without the prefix: {@code planners}
   */
  public static EventConsumer start(
      EventProducer producer, Topic topic, String group, Handler handler) {
    EventConsumer consumer = new EventConsumer(producer, topic, group, handler);
    consumer.polling.start();
    return consumer;
  }

  /** Why nothing is consumed now; empty when all is well. */
  public Optional<String> whyNotReady() {
    return Optional.ofNullable(trouble);
  }

  private void run() {
    while (!closing) {
      try (KafkaConsumer<byte[], byte[]> running = open()) {
        consumer = running;
        running.subscribe(List.of(topic), new Rebalances(running));
        consume(running);
        commit(running);
      } catch (WakeupException e) {
        LOG.debug("consumer of {} woken up to close", topic);
      } catch (KafkaException e) {
        trouble = "cannot consume " + topic + ": " + e.getMessage();
        LOG.warn("{}; trying again", trouble);
        forget(List.copyOf(progress.keySet()));
        pause(Duration.ofSeconds(1));
      }
    }
  }

  private KafkaConsumer<byte[], byte[]> open() {
    Map<String, Object> settings = access.client();
    settings.put("group.id", group);
    settings.put("group.protocol", "consumer");
    settings.put("enable.auto.commit", false);
    settings.put("auto.offset.reset", "earliest");
    settings.put("max.poll.records", 100);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private void consume(KafkaConsumer<byte[], byte[]> running) {
    long nextCommit = System.nanoTime();
    @Nullable Future<?> batch = null;
    while (!closing) {
      ConsumerRecords<byte[], byte[]> records = running.poll(POLL);
      trouble = running.assignment().isEmpty() && batch == null ? joining() : null;
      if (!records.isEmpty()) {
        running.pause(running.assignment());
        List<ConsumerRecord<byte[], byte[]>> ordered = new ArrayList<>();
        records.forEach(ordered::add);
        for (ConsumerRecord<byte[], byte[]> record : ordered) {
          progressOf(record).begin(record.offset());
        }
        batch = handling.submit(() -> ordered.forEach(this::handle));
      }
      if (batch != null && batch.isDone()) {
        batch = null;
        running.resume(running.assignment());
      } else if (batch != null) {
        running.pause(running.assignment());
      }
      if (System.nanoTime() - nextCommit > 0) {
        commit(running);
        nextCommit = System.nanoTime() + COMMIT_EVERY.toNanos();
      }
    }
  }

  /**
   * Without partitions a member is still ready, once it has been in its group: others may hold them
   * all.
   */
  private @Nullable String joining() {
    String before = trouble;
    return before == null || !before.startsWith("not connected") ? null : before;
  }

  private void handle(ConsumerRecord<byte[], byte[]> record) {
    Progress partition = progress.get(new TopicPartition(record.topic(), record.partition()));
    if (closing || partition == null) {
      return; // not ours any more; whoever has the partition begins at the committed offset
    }
    Runnable done = () -> partition.finish(record.offset());
    if (record.value() == null) {
      done.run();
      return;
    }
    Event event;
    try {
      event = EventJson.read(record.value());
    } catch (MalformedEventException e) {
      bury(record, String.valueOf(e.getMessage()), 1, done);
      return;
    }
    for (int attempt = 1; !closing; attempt++) {
      try {
        handler.handle(event, record.partition(), done);
        return;
      } catch (KafkaUnavailableException e) {
        LOG.warn("{}: {}; trying again", topic, e.getMessage());
        attempt = 0;
        pause(Duration.ofSeconds(1));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (Exception e) { // the edge of a record: whatever the handler didn't expect ends here
        LOG.error(
            "{} offset {} of {} failed, attempt {}",
            event.getClass().getSimpleName(),
            record.offset(),
            topic,
            attempt,
            e);
        if (attempt == ATTEMPTS) {
          bury(record, e.toString(), attempt, done);
          return;
        }
        pause(Duration.ofMillis(200L << attempt));
      }
    }
  }

  private void bury(
      ConsumerRecord<byte[], byte[]> record, String error, int attempts, Runnable done) {
    while (!closing) {
      try {
        deadLetters.send(record, error, attempts);
        done.run();
        return;
      } catch (KafkaUnavailableException e) {
        LOG.warn("cannot write a dead letter: {}; trying again", e.getMessage());
        pause(Duration.ofSeconds(1));
      }
    }
  }

  private Progress progressOf(ConsumerRecord<byte[], byte[]> record) {
    return progress.computeIfAbsent(
        new TopicPartition(record.topic(), record.partition()),
        key -> new Progress(record.offset()));
  }

  private void commit(KafkaConsumer<byte[], byte[]> running) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    progress.forEach((partition, done) -> {
      if (done.hasMoved()) {
        offsets.put(partition, new OffsetAndMetadata(done.next()));
      }
    });
    if (offsets.isEmpty()) {
      return;
    }
    try {
      running.commitSync(offsets, Duration.ofSeconds(10));
      offsets.forEach((partition, offset) -> {
        Progress done = progress.get(partition);
        if (done != null) {
          done.committed(offset.offset());
        }
      });
    } catch (WakeupException e) {
      throw e;
    } catch (KafkaException e) {
      LOG.warn("cannot commit the offsets of {}: {}; later", topic, e.getMessage());
    }
  }

  private void forget(Collection<TopicPartition> partitions) {
    progress.keySet().removeAll(partitions);
    if (!partitions.isEmpty()) {
      handler.lost(partitions.stream().map(TopicPartition::partition).toList());
    }
  }

  private final class Rebalances implements ConsumerRebalanceListener {
    private final KafkaConsumer<byte[], byte[]> running;

    Rebalances(KafkaConsumer<byte[], byte[]> running) {
      this.running = running;
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      commit(running);
      forget(partitions);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      trouble = null;
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      forget(partitions);
    }
  }

  private void pause(Duration duration) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closing = true;
    handling.shutdownNow();
    try {
      handling.awaitTermination(5, TimeUnit.SECONDS);
      polling.join(Duration.ofSeconds(15));
      KafkaConsumer<byte[], byte[]> running = consumer;
      if (polling.isAlive() && running != null) {
        running.wakeup();
        polling.join(Duration.ofSeconds(5));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
