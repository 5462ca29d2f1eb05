package dev.socifleet.events;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Sends records and returns when Kafka has them on all in-sync replicas. Idempotent, thread-safe.
 */
public final class EventProducer implements AutoCloseable {
  private static final int DELIVERY_MILLIS = 20_000;

  private final KafkaAccess access;
  private final KafkaProducer<byte[], byte[]> producer;

  /** Longer than the client's own, which says why. */
  private final long patienceMillis;

  public EventProducer(KafkaAccess access) {
    this.access = access;
    Map<String, Object> settings = access.client();
    settings.put("acks", "all");
    settings.put("enable.idempotence", true);
    // A broker that is still making a partition refuses a record and may take the next one, after
    // which the first is out of order until it expires (KAFKA-15591): one request at a time.
    settings.put("max.in.flight.requests.per.connection", 1);
    settings.putIfAbsent("linger.ms", 0);
    settings.putIfAbsent("delivery.timeout.ms", DELIVERY_MILLIS);
    settings.putIfAbsent("request.timeout.ms", DELIVERY_MILLIS / 2);
    settings.putIfAbsent("max.block.ms", DELIVERY_MILLIS / 2);
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    patienceMillis = 2 * access.millis("delivery.timeout.ms", DELIVERY_MILLIS);
  }

  public void send(Topic topic, Event event) throws KafkaUnavailableException {
    sendAll(topic, List.of(event));
  }

  /**
   * Returns when all are acknowledged; after a failure some may be, so the caller sends all of them
   * again.
   */
  public void sendAll(Topic topic, List<? extends Event> events) throws KafkaUnavailableException {
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(events.size());
    for (Event event : events) {
      records.add(
          new ProducerRecord<>(access.topic(topic), key(topic, event), EventJson.write(event)));
    }
    deliver(records);
  }

  void deliver(List<ProducerRecord<byte[], byte[]>> records) throws KafkaUnavailableException {
    try {
      List<Future<RecordMetadata>> pending = new ArrayList<>(records.size());
      for (ProducerRecord<byte[], byte[]> record : records) {
        pending.add(producer.send(record));
      }
      for (Future<RecordMetadata> future : pending) {
        future.get(patienceMillis, TimeUnit.MILLISECONDS);
      }
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } catch (KafkaException | TimeoutException e) {
      throw failure(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(e);
    }
  }

  KafkaAccess access() {
    return access;
  }

  private KafkaUnavailableException failure(@Nullable Throwable cause) {
    return new KafkaUnavailableException(
        "Kafka at "
            + access.bootstrap()
            + " did not take a record: "
            + (cause == null ? "no reason given" : cause.getMessage()),
        cause);
  }

  /** {@code registry/repository}; on soci.images, which is compacted, with the target's digest. */
  private static byte[] key(Topic topic, Event event) {
    String key =
        topic == Topic.IMAGES && event instanceof ImageOutcome outcome
            ? outcome.repository() + "@" + outcome.target()
            : event.repository().toString();
    return key.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    producer.close(java.time.Duration.ofSeconds(10));
  }
}
