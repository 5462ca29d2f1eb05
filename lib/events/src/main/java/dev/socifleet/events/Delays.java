package dev.socifleet.events;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records that have to wait: three topics, each with one fixed delay, so that the head of a
 * partition is always the next one due. A loop a topic reads a record, waits until it is due,
 * appends it to its destination (header {@code soci-destination}) and commits. Any indexer runs it;
 * the group lets one of them do a partition.
 */
public final class Delays implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Delays.class);
  private static final String DESTINATION = "soci-destination";

  private enum Step {
    SHORT(Topic.DELAYED_10S, Duration.ofSeconds(10)),
    MIDDLE(Topic.DELAYED_1M, Duration.ofMinutes(1)),
    LONG(Topic.DELAYED_10M, Duration.ofMinutes(10));

    private final Topic topic;
    private final Duration delay;

    Step(Topic topic, Duration delay) {
      this.topic = topic;
      this.delay = delay;
    }
  }

  private final EventProducer producer;
  private final List<Thread> loops = new ArrayList<>();
  private volatile boolean closing;

  private Delays(EventProducer producer) {
    this.producer = producer;
  }

  /** Starts the loops. */
  public static Delays start(EventProducer producer) {
    Delays delays = new Delays(producer);
    for (Step step : Step.values()) {
      delays.loops.add(
          Thread.ofPlatform().daemon().name("delay-" + step.delay).start(() -> delays.run(step)));
    }
    return delays;
  }

  /**
   * Sends an event to its topic later: after 10 s, a minute, or ten minutes, by the number of
   * attempts it had and what the registry asked for. Returns when Kafka has it.
   */
  public static void later(
      EventProducer producer,
      Topic destination,
      Event event,
      int attempts,
      Optional<Duration> retryAfter)
      throws KafkaUnavailableException {
    Step step = attempts <= 2 ? Step.SHORT : attempts <= 4 ? Step.MIDDLE : Step.LONG;
    for (Step longer : Step.values()) {
      if (retryAfter.isPresent()
          && longer.compareTo(step) > 0
          && retryAfter.get().compareTo(step.delay) > 0) {
        step = longer;
      }
    }
    var record =
        new ProducerRecord<>(
            producer.access().topic(step.topic),
            event.repository().toString().getBytes(StandardCharsets.UTF_8),
            EventJson.write(event));
    record.headers().add(DESTINATION, destination.name().getBytes(StandardCharsets.UTF_8));
    producer.deliver(List.of(record));
  }

  private void run(Step step) {
    while (!closing) {
      try (KafkaConsumer<byte[], byte[]> consumer = open(step)) {
        consumer.subscribe(List.of(producer.access().topic(step.topic)));
        while (!closing) {
          if (!forward(consumer, step, consumer.poll(Duration.ofMillis(500)))) {
            Thread.sleep(
                200); // the head isn't due; polling again at once would only fetch it again
          }
        }
      } catch (KafkaException | KafkaUnavailableException e) {
        LOG.warn("{}: {}; trying again", step.topic, e.getMessage());
        try {
          Thread.sleep(1000);
        } catch (InterruptedException interrupted) {
          return;
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private KafkaConsumer<byte[], byte[]> open(Step step) {
    Map<String, Object> settings = producer.access().client();
    settings.put("group.id", producer.access().group("delays-" + step.delay.toSeconds()));
    settings.put("group.protocol", "consumer");
    settings.put("enable.auto.commit", false);
    settings.put("auto.offset.reset", "earliest");
    settings.put("max.poll.records", 100);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * Forwards what is due; seeks back to the first record of each partition that isn't, and then
   * answers false.
   */
  private boolean forward(
      KafkaConsumer<byte[], byte[]> consumer, Step step, ConsumerRecords<byte[], byte[]> records)
      throws KafkaUnavailableException {
    Instant now = Instant.now();
    boolean allDue = true;
    for (TopicPartition partition : records.partitions()) {
      for (ConsumerRecord<byte[], byte[]> record : records.records(partition)) {
        if (Instant.ofEpochMilli(record.timestamp()).plus(step.delay).isAfter(now)) {
          consumer.seek(partition, record.offset());
          allDue = false;
          break;
        }
        Topic destination = destination(record);
        if (destination == null) {
          new DeadLetters(producer).send(record, "no destination", 1);
        } else {
          producer.deliver(
              List.of(
                  new ProducerRecord<>(
                      producer.access().topic(destination), record.key(), record.value())));
        }
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(record.offset() + 1)));
      }
    }
    return allDue;
  }

  private static @Nullable Topic destination(ConsumerRecord<byte[], byte[]> record) {
    Header header = record.headers().lastHeader(DESTINATION);
    try {
      return header == null
          ? null
          : Topic.valueOf(new String(header.value(), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  @Override
  public void close() {
    closing = true;
    for (Thread loop : loops) {
      try {
        loop.join(Duration.ofSeconds(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
