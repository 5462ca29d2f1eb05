package dev.socifleet.cli.up;

import dev.socifleet.oci.RegistryHost;
import dev.socifleet.service.FleetToken;
import java.util.HashMap;
import java.util.Map;

/** Each service's settings in a stack. */
final class StackSettings {
  /** The name of the registry among ingest's sources. */
  static final String SOURCE = "main";

  private final StackPlan plan;
  private final String bootstrap;
  private final RegistryHost registry;

  StackSettings(StackPlan plan, String bootstrap, RegistryHost registry) {
    this.plan = plan;
    this.bootstrap = bootstrap;
    this.registry = registry;
  }

  Map<String, String> ingest(FleetToken token) {
    Map<String, String> settings = pipeline(Ports.INGEST);
    settings.put("listen", Ports.address(plan.ports().webhook()));
    settings.put("source.0.name", SOURCE);
    settings.put("source.0.registry", registry.host());
    settings.put("source.0.authorization", token.authorization());
    return settings;
  }

  Map<String, String> pusher() {
    Map<String, String> settings = pipeline(Ports.PUSHER);
    addRegistry(settings);
    return settings;
  }

  Map<String, String> indexer(String cacheUrl) {
    Map<String, String> settings = pipeline(Ports.INDEXER);
    addRegistry(settings);
    settings.put("cache.members", cacheUrl);
    settings.put("cache.token-file", plan.tokenFile().toString());
    settings.put("min-layer-size", Long.toString(plan.minLayerSize()));
    return settings;
  }

  Map<String, String> cache() {
    Map<String, String> settings = new HashMap<>();
    settings.put("listen", Ports.address(plan.ports().cache()));
    settings.put("admin.listen", Ports.address(plan.ports().admin(Ports.CACHE)));
    settings.put("directory", plan.in("cache").toString());
    settings.put("token-file", plan.tokenFile().toString());
    addRegistry(settings);
    return settings;
  }

  /**
   * @param freePort the node's admin port where the plan leaves the choice
   */
  Map<String, String> node(String cacheUrl, int freePort) {
    Map<String, String> settings = new HashMap<>();
    int admin = plan.ports().admin(Ports.NODE);
    settings.put("admin.listen", Ports.address(admin == 0 ? freePort : admin));
    settings.put("control.socket", plan.nodeControl().toString());
    settings.put("cache.members", cacheUrl);
    addRegistry(settings);
    return settings;
  }

  private Map<String, String> pipeline(int service) {
    Map<String, String> settings = new HashMap<>();
    settings.put("kafka.bootstrap", bootstrap);
    settings.put("kafka.replication", "1");
    settings.put("admin.listen", Ports.address(plan.ports().admin(service)));
    return settings;
  }

  private void addRegistry(Map<String, String> settings) {
    settings.put("registry.0.host", registry.host());
    settings.put("registry.0.url", registry.base().toString());
  }
}
