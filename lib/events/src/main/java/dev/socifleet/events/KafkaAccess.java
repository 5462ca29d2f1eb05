package dev.socifleet.events;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;

/**
 * How to reach Kafka.
 *
 * @param bootstrap {@code host:port,…}
 * @param prefix what topic and group names begin with: {@code soci} gives {@code soci.pushes}
 * @param replication the replication factor of topics this service creates
 * @param extra settings of Kafka's clients, passed through: TLS, SASL
 */
public record KafkaAccess(
    String bootstrap, String prefix, short replication, Map<String, String> extra) {
  public KafkaAccess {
    extra = Map.copyOf(extra);
  }

  /** A broker without TLS, topics under {@code soci.}: one machine. */
  public static KafkaAccess local(String bootstrap) {
    return new KafkaAccess(bootstrap, "soci", (short) 1, Map.of());
  }

  String topic(Topic topic) {
    return topic.name(prefix);
  }

  /** A group's name under the prefix: {@code planners} gives {@code soci-planners}. */
  String group(String name) {
    return prefix + "-" + name;
  }

  /** A time that the operator may have given to Kafka's clients. */
  long millis(String name, long standard) {
    String given = extra.get(name);
    try {
      return given == null ? standard : Long.parseLong(given.strip());
    } catch (NumberFormatException e) {
      throw new ConfigException(name, given, "a number of milliseconds is wanted");
    }
  }

  Map<String, Object> client() {
    Map<String, Object> settings = new HashMap<>(extra);
    settings.put("bootstrap.servers", bootstrap);
    return settings;
  }
}
