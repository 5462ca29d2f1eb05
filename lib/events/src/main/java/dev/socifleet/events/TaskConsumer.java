package dev.socifleet.events;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes layer tasks from a share group: any number of workers beside each other, each task with one
 * of them.
 *
 * <p>A build slot is a consumer and a thread of its own that hold one record at a time. While the
 * handler runs, in another thread, the record's lock is renewed every third of its time; if that
 * fails somebody else may have the task, and the handler is interrupted. A task that is finished,
 * for good or for another try through the delay topics, is accepted; it is never released, so that
 * the broker's delivery count only counts workers that died with it.
 */
public final class TaskConsumer implements AutoCloseable {
  /** The group that builds what was pushed just now, and the one that builds what has time. */
  public static final String GROUP = "indexers";

  public static final String BULK_GROUP = "indexers-bulk";

  /**
   * The broker's limit ({@code group.share.delivery.count.limit}): no further delivery after the
   * fifth.
   */
  public static final int LAST_DELIVERY = 5;

  private static final Logger LOG = LoggerFactory.getLogger(TaskConsumer.class);
  private static final int STANDARD_LOCK_MILLIS = 30_000;

  /**
   * Does a task. Called by one thread a slot; an interrupt means that the task isn't ours any more.
   */
  @FunctionalInterface
  public interface Handler {
    /**
     * Returns when the task needs no more: its outcome or its next attempt is acknowledged by
     * Kafka.
     *
     * @param delivery 1 for the first; after {@link #LAST_DELIVERY} the broker gives up on it
     */
    void handle(LayerTask task, int delivery) throws Exception;
  }

  private final KafkaAccess access;
  private final String topic;
  private final String group;
  private final Handler handler;
  private final DeadLetters deadLetters;
  private final List<Slot> slots = new ArrayList<>();
  private volatile boolean closing;

  private TaskConsumer(EventProducer producer, Topic topic, String group, Handler handler) {
    access = producer.access();
    this.topic = access.topic(topic);
    this.group = access.group(group);
    this.handler = handler;
    deadLetters = new DeadLetters(producer);
  }

  /** Starts {@code slots} build slots. */
  public static TaskConsumer start(
      EventProducer producer, Topic topic, String group, int slots, Handler handler) {
    TaskConsumer consumer = new TaskConsumer(producer, topic, group, handler);
    for (int i = 0; i < slots; i++) {
      Slot slot = consumer.new Slot(i);
      consumer.slots.add(slot);
      slot.thread.start();
    }
    return consumer;
  }

  /** Why no tasks are taken now; empty when all is well. */
  public Optional<String> whyNotReady() {
    return slots.stream()
        .map(slot -> slot.trouble)
        .flatMap(trouble -> Optional.ofNullable(trouble).stream())
        .findFirst();
  }

  private final class Slot {
    private final Thread thread;
    private volatile @Nullable String trouble = "not connected to Kafka yet";

    Slot(int number) {
      thread =
          Thread.ofPlatform().daemon().name("build-" + number + "-" + topic).unstarted(this::run);
    }

    private void run() {
      while (!closing) {
        try (KafkaShareConsumer<byte[], byte[]> consumer = open()) {
          consumer.subscribe(List.of(topic));
          while (!closing) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(500));
            trouble = null;
            for (ConsumerRecord<byte[], byte[]> record : records) {
              work(consumer, record);
            }
          }
        } catch (KafkaException e) {
          trouble = "cannot take tasks from " + topic + ": " + e.getMessage();
          LOG.warn("{}; trying again", trouble);
          pause(1000);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }

    private KafkaShareConsumer<byte[], byte[]> open() {
      Map<String, Object> settings = access.client();
      settings.put("group.id", group);
      settings.put("share.acknowledgement.mode", "explicit");
      settings.put("share.acquire.mode", "record_limit");
      settings.put("max.poll.records", 1);
      return new KafkaShareConsumer<>(
          settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void work(
        KafkaShareConsumer<byte[], byte[]> consumer, ConsumerRecord<byte[], byte[]> record)
        throws InterruptedException {
      CountDownLatch finished = new CountDownLatch(1);
      AtomicBoolean accepted = new AtomicBoolean();
      Thread worker =
          Thread.ofVirtual()
              .name(thread.getName() + "-task")
              .start(() -> {
                try {
                  accepted.set(done(record));
                } finally {
                  finished.countDown();
                }
              });
      long lock = consumer.acquisitionLockTimeoutMs().orElse(STANDARD_LOCK_MILLIS);
      try {
        while (!finished.await(lock / 3, TimeUnit.MILLISECONDS)) {
          if (closing) {
            worker.interrupt();
            finished.await(5, TimeUnit.SECONDS);
            return; // not acknowledged: another worker gets the task when the lock ends
          }
          if (!renewed(consumer, record)) {
            LOG.warn("lost the lock of a task on {}; cancelling its build", topic);
            worker.interrupt();
            finished.await();
            return;
          }
        }
      } catch (InterruptedException e) {
        worker.interrupt();
        throw e;
      }
      if (accepted.get()) {
        consumer.acknowledge(record, AcknowledgeType.ACCEPT);
        if (failed(consumer)) {
          LOG.warn("a finished task on {} could not be acknowledged; it will be done again", topic);
        }
      }
    }

    /**
     * Renews the record's lock. The broker's client hands a renewed record out again, to be
     * acknowledged anew.
     */
    private boolean renewed(
        KafkaShareConsumer<byte[], byte[]> consumer, ConsumerRecord<byte[], byte[]> record) {
      consumer.acknowledge(record, AcknowledgeType.RENEW);
      if (failed(consumer)) {
        return false;
      }
      for (ConsumerRecord<byte[], byte[]> again : consumer.poll(Duration.ofSeconds(5))) {
        if (again.partition() == record.partition() && again.offset() == record.offset()) {
          return true;
        }
      }
      return false;
    }

    /** Sends what was acknowledged; whether the broker refused it. */
    private boolean failed(KafkaShareConsumer<byte[], byte[]> consumer) {
      return consumer.commitSync().values().stream().anyMatch(Optional::isPresent);
    }

    /** Whether the task is finished and can be accepted. */
    private boolean done(ConsumerRecord<byte[], byte[]> record) {
      int delivery = record.deliveryCount().map(Short::intValue).orElse(1);
      while (!closing) {
        try {
          if (record.value() == null
              || !(EventJson.read(record.value()) instanceof LayerTask task)) {
            deadLetters.send(record, "not a LayerTask", delivery);
            return true;
          }
          handler.handle(task, delivery);
          return true;
        } catch (MalformedEventException e) {
          try {
            deadLetters.send(record, String.valueOf(e.getMessage()), delivery);
            return true;
          } catch (KafkaUnavailableException unavailable) {
            LOG.warn("cannot write a dead letter: {}; trying again", unavailable.getMessage());
            pause(1000);
          }
        } catch (KafkaUnavailableException e) {
          LOG.warn("{}; trying again", e.getMessage());
          pause(1000);
        } catch (InterruptedException e) {
          return false;
        } catch (Exception e) { // the edge of a task: whatever the handler didn't expect ends here
          LOG.error("a task on {} failed without an outcome", topic, e);
          return false;
        }
        if (Thread.currentThread().isInterrupted()) {
          return false;
        }
      }
      return false;
    }

    private void pause(long millis) {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    closing = true;
    try {
      for (Slot slot : slots) {
        slot.thread.join(Duration.ofSeconds(10));
        if (slot.thread.isAlive()) {
          slot.thread.interrupt();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
