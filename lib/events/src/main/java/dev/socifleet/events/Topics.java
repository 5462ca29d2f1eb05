package dev.socifleet.events;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Creates the topics that are missing and sets the share groups up, at a service's start.
 * Idempotent.
 */
public final class Topics {
  private static final long PATIENCE_MILLIS = 20_000;
  private static final long REQUEST_MILLIS = 10_000;

  private final Admin admin;
  private final KafkaAccess access;
  private final long patienceMillis;

  private Topics(Admin admin, KafkaAccess access, long patienceMillis) {
    this.admin = admin;
    this.access = access;
    this.patienceMillis = patienceMillis;
  }

  /**
   * Makes the broker ready for us, or says in one line why it isn't.
   *
   * @return empty when every topic and group is as it should be
   */
  public static Optional<String> prepare(KafkaAccess access) {
    try {
      return prepare(access, access.millis("default.api.timeout.ms", PATIENCE_MILLIS));
    } catch (ExecutionException e) {
      return Optional.of("Kafka at " + access.bootstrap() + ": " + e.getMessage());
    } catch (KafkaException | TimeoutException e) {
      return Optional.of("Kafka at " + access.bootstrap() + " can't be reached: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("interrupted while preparing Kafka's topics");
    }
  }

  private static Optional<String> prepare(KafkaAccess access, long millis)
      throws ExecutionException, InterruptedException, TimeoutException {
    Map<String, Object> settings = access.client();
    settings.put("default.api.timeout.ms", Long.toString(millis));
    settings.put("request.timeout.ms", Long.toString(Math.min(millis, REQUEST_MILLIS)));
    try (Admin admin = Admin.create(settings)) {
      Topics topics = new Topics(admin, access, 2 * millis); // the client's own says why
      if (!topics.shareGroupsAreOn()) {
        return Optional.of(
            "the Kafka at "
                + access.bootstrap()
                + " has no share groups: version 4.2 or newer with feature share.version=1 or higher is needed");
      }
      topics.create();
      for (String group : List.of(TaskConsumer.GROUP, TaskConsumer.BULK_GROUP)) {
        topics.fromTheBeginning(access.group(group));
      }
      return Optional.empty();
    }
  }

  private boolean shareGroupsAreOn()
      throws ExecutionException, InterruptedException, TimeoutException {
    var feature =
        admin
            .describeFeatures()
            .featureMetadata()
            .get(patienceMillis, TimeUnit.MILLISECONDS)
            .finalizedFeatures()
            .get("share.version");
    return feature != null && feature.maxVersionLevel() >= 1;
  }

  private void create() throws ExecutionException, InterruptedException, TimeoutException {
    Set<String> there = admin.listTopics().names().get(patienceMillis, TimeUnit.MILLISECONDS);
    List<NewTopic> missing = new ArrayList<>();
    for (Topic topic : Topic.values()) {
      if (!there.contains(access.topic(topic))) {
        String retention = Long.toString(topic.retention().toMillis());
        missing.add(
            new NewTopic(
                    access.topic(topic),
                    Optional.of(topic.partitions()),
                    Optional.of(access.replication()))
                .configs(
                    topic.compacted()
                        ? Map.of("cleanup.policy", "compact", "delete.retention.ms", retention)
                        : Map.of("cleanup.policy", "delete", "retention.ms", retention)));
      }
    }
    for (var created : admin.createTopics(missing).values().values()) {
      try {
        created.get(patienceMillis, TimeUnit.MILLISECONDS);
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e; // another service of the fleet may have been quicker; anything else is a failure
        }
      }
    }
  }

  /**
   * A share group begins at the topic's end unless told otherwise: tasks sent before its first
   * start would be lost.
   */
  private void fromTheBeginning(String group)
      throws ExecutionException, InterruptedException, TimeoutException {
    admin
        .incrementalAlterConfigs(
            Map.of(
                new ConfigResource(ConfigResource.Type.GROUP, group),
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("share.auto.offset.reset", "earliest"),
                        AlterConfigOp.OpType.SET))))
        .all()
        .get(patienceMillis, TimeUnit.MILLISECONDS);
  }
}
