package dev.socifleet.events;

import dev.socifleet.service.Settings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The keys by which every service of the pipeline finds Kafka: {@code kafka.bootstrap} (required),
 * {@code kafka.prefix} ({@code soci}), {@code kafka.replication} (3), and {@code kafka.client} (a
 * list of {@code name=value} passed to Kafka's clients: TLS, SASL).
 */
public final class KafkaSettings {
  private KafkaSettings() {}

  public static KafkaAccess read(Settings settings) {
    String bootstrap = settings.required("kafka.bootstrap");
    String prefix = settings.text("kafka.prefix", "soci");
    if (!prefix.matches("[a-zA-Z0-9._-]{1,100}")) {
      settings.problem("kafka.prefix", "must be letters, digits, dots, dashes: '" + prefix + "'");
    }
    short replication = (short) settings.number("kafka.replication", 3, 1, 10);
    Map<String, String> extra = new LinkedHashMap<>();
    List<String> client = settings.list("kafka.client");
    for (String setting : client) {
      int equals = setting.indexOf('=');
      if (equals <= 0) {
        settings.problem("kafka.client", "expected name=value, not '" + setting + "'");
      } else {
        extra.put(setting.substring(0, equals).strip(), setting.substring(equals + 1).strip());
      }
    }
    return new KafkaAccess(bootstrap, prefix, replication, extra);
  }
}
