package dev.socifleet.events;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * soci.dead-letters: the record as it was, with the topic, the error and the attempts in headers.
 */
final class DeadLetters {
  private final EventProducer producer;

  DeadLetters(EventProducer producer) {
    this.producer = producer;
  }

  void send(ConsumerRecord<byte[], byte[]> record, String error, int attempts)
      throws KafkaUnavailableException {
    var letter =
        new ProducerRecord<>(
            producer.access().topic(Topic.DEAD_LETTERS), record.key(), record.value());
    letter.headers().add("soci-topic", bytes(record.topic()));
    letter.headers().add("soci-error", bytes(error.substring(0, Math.min(error.length(), 2000))));
    letter.headers().add("soci-attempts", bytes(Integer.toString(attempts)));
    producer.deliver(List.of(letter));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
