package dev.socifleet.testing;

import dev.socifleet.embedded.broker.EmbeddedBroker;
import dev.socifleet.embedded.registry.SmallRegistry;
import dev.socifleet.events.EventProducer;
import dev.socifleet.events.KafkaAccess;
import dev.socifleet.events.Topic;
import dev.socifleet.events.Topics;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A broker and a registry in this process, for the parts of the pipeline that stand between them.
 */
public final class PipelineRig implements AutoCloseable {
  private static final AtomicInteger REPOSITORIES = new AtomicInteger();

  /**
   * A broker takes no record before it has forced the files of all new partitions to the disk,
   * which on a slow one is longer than the standard time-outs.
   */
  private static final Map<String, String> PATIENT =
      Map.of(
          "delivery.timeout.ms",
          "200000",
          "max.block.ms",
          "200000",
          "default.api.timeout.ms",
          "200000");

  private final EmbeddedBroker broker;
  private final SmallRegistry registry;
  private final KafkaAccess access;
  private final EventProducer producer;
  private final SentEvents sent;

  private PipelineRig(EmbeddedBroker broker, SmallRegistry registry) {
    this.broker = broker;
    this.registry = registry;
    access = new KafkaAccess(broker.bootstrap(), "soci", (short) 1, PATIENT);
    Topics.prepare(access)
        .ifPresent(trouble -> {
          throw new IllegalStateException(trouble);
        });
    producer = new EventProducer(access);
    sent = new SentEvents(access);
  }

  /** Starts both with their state below a directory; the topics are there. */
  public static PipelineRig start(Path directory) throws IOException {
    EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0);
    return new PipelineRig(
        broker, SmallRegistry.start(SmallRegistry.Options.in(directory.resolve("registry"))));
  }

  /** The settings of a service that uses both. */
  public Map<String, String> settings() {
    return Map.of(
        "admin.listen",
        "127.0.0.1:0",
        "kafka.bootstrap",
        broker.bootstrap(),
        "kafka.replication",
        "1",
        "kafka.client",
        PATIENT.entrySet().stream()
            .map(setting -> setting.getKey() + "=" + setting.getValue())
            .collect(Collectors.joining(",")),
        "registry.0.host",
        registry.host());
  }

  /** A client of the registry, to be closed by the caller. */
  public ScriptedRegistries registries() {
    return new ScriptedRegistries(OpenRegistries.at(registry.host()));
  }

  /** A repository that nobody used before: its events are told from others' by it. */
  public RepositoryName freshRepository() {
    return new RepositoryName(registry.host(), "team/app" + REPOSITORIES.incrementAndGet());
  }

  /** Puts bytes that may be no event onto a topic, among a repository's events. */
  public void sendRaw(Topic topic, RepositoryName repository, byte[] value) throws Exception {
    try (var raw =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", access.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      byte[] key = repository.toString().getBytes(StandardCharsets.UTF_8);
      raw.send(new ProducerRecord<>(topic.name(access.prefix()), key, value))
          .get(200, TimeUnit.SECONDS);
    }
  }

  public KafkaAccess access() {
    return access;
  }

  public EventProducer producer() {
    return producer;
  }

  public SentEvents sent() {
    return sent;
  }

  @Override
  public void close() {
    sent.close();
    producer.close();
    registry.close();
    broker.close();
  }
}
