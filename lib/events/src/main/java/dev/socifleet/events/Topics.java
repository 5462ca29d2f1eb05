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
  private static final long SECONDS = 20;

  private Topics() {}

  /**
   * Makes the broker ready for us, or says in one line why it isn't.
   *
   * @return empty when every topic and group is as it should be
   */
  public static Optional<String> prepare(KafkaAccess access) {
    Map<String, Object> settings = access.client();
    settings.put("default.api.timeout.ms", (int) TimeUnit.SECONDS.toMillis(SECONDS));
    settings.put("request.timeout.ms", 10_000);
    try (Admin admin = Admin.create(settings)) {
      if (!shareGroupsAreOn(admin)) {
        return Optional.of(
            "the Kafka at "
                + access.bootstrap()
                + " has no share groups: version 4.2 or newer with feature share.version=1 or higher is needed");
      }
      create(admin, access);
      for (String group : List.of(TaskConsumer.GROUP, TaskConsumer.BULK_GROUP)) {
        fromTheBeginning(admin, access.group(group));
      }
      return Optional.empty();
    } catch (ExecutionException e) {
      return Optional.of("Kafka at " + access.bootstrap() + ": " + e.getMessage());
    } catch (KafkaException | TimeoutException e) {
      return Optional.of("Kafka at " + access.bootstrap() + " can't be reached: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("interrupted while preparing Kafka's topics");
    }
  }

  private static boolean shareGroupsAreOn(Admin admin)
      throws ExecutionException, InterruptedException, TimeoutException {
    var feature =
        admin
            .describeFeatures()
            .featureMetadata()
            .get(SECONDS, TimeUnit.SECONDS)
            .finalizedFeatures()
            .get("share.version");
    return feature != null && feature.maxVersionLevel() >= 1;
  }

  private static void create(Admin admin, KafkaAccess access)
      throws ExecutionException, InterruptedException, TimeoutException {
    Set<String> there = admin.listTopics().names().get(SECONDS, TimeUnit.SECONDS);
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
        created.get(SECONDS, TimeUnit.SECONDS);
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
  private static void fromTheBeginning(Admin admin, String group)
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
        .get(SECONDS, TimeUnit.SECONDS);
  }
}
