package dev.socifleet.testing;

import dev.socifleet.events.Event;
import dev.socifleet.events.EventJson;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.MalformedEventException;
import dev.socifleet.events.Topic;
import dev.socifleet.oci.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What the pipeline's topics hold. What was acknowledged before a question is in its answer, so
 * there is nothing to wait for. One thread.
 */
public final class SentEvents implements AutoCloseable {
  private final KafkaAccess access;
  private final KafkaConsumer<byte[], byte[]> consumer;

  public SentEvents(KafkaAccess access) {
    this.access = access;
    Map<String, Object> settings = new HashMap<>(access.extra());
    settings.put("bootstrap.servers", access.bootstrap());
    settings.put("max.poll.records", 1000);
    consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * A repository's events on a topic, in their order (on {@link Topic#IMAGES}: in that of each
   * image); one of another type is an error.
   */
  public <E extends Event> List<E> on(Topic topic, RepositoryName repository, Class<E> type) {
    return records(topic, repository).stream().map(record -> type.cast(event(record))).toList();
  }

  /**
   * A record that nobody could do.
   *
   * @param topic the name of the topic it came from
   */
  public record DeadLetter(String topic, String error, String value) {}

  public List<DeadLetter> deadLetters(RepositoryName repository) {
    return records(Topic.DEAD_LETTERS, repository).stream()
        .map(record ->
            new DeadLetter(
                header(record, "soci-topic"),
                header(record, "soci-error"),
                new String(record.value(), StandardCharsets.UTF_8)))
        .toList();
  }

  /** Where a repository's events on a topic of delays shall go, as their headers say. */
  public List<String> destinations(Topic delays, RepositoryName repository) {
    return records(delays, repository).stream()
        .map(record -> header(record, "soci-destination"))
        .toList();
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? "none" : new String(header.value(), StandardCharsets.UTF_8);
  }

  private List<ConsumerRecord<byte[], byte[]>> records(Topic topic, RepositoryName repository) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic.name(access.prefix())).stream()
            .map(found -> new TopicPartition(found.topic(), found.partition()))
            .toList();
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    while (partitions.stream()
        .anyMatch(one -> consumer.position(one) < ends.getOrDefault(one, 0L))) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
        String key = new String(record.key(), StandardCharsets.UTF_8);
        if (key.split("@", 2)[0].equals(repository.toString())) {
          found.add(record);
        }
      }
    }
    return found;
  }

  private static Event event(ConsumerRecord<byte[], byte[]> record) {
    try {
      return EventJson.read(record.value());
    } catch (MalformedEventException e) {
      throw new AssertionError("a record on " + record.topic() + " can't be read", e);
    }
  }

  @Override
  public void close() {
    consumer.close();
  }
}
