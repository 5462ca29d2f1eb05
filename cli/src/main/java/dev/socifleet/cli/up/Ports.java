package dev.socifleet.cli.up;

import dev.socifleet.cli.Machine;

/**
 * The ports of everything on this machine's loopback; 0 chooses a free one.
 *
 * @param webhook where registries send their notifications
 * @param cache the fleet's cache
 * @param registry the registry in process, where none is given
 * @param kafka the embedded broker
 * @param admin the first of the admin ports, of ingest, indexer, pusher, cache and node in this
 *     order; 0 chooses a free one for each
 */
record Ports(int webhook, int cache, int registry, int kafka, int admin) {
  private static final String[] SERVICES = {"ingest", "indexer", "pusher", "fetch-cache", "node"};

  static final int INGEST = 0;
  static final int INDEXER = 1;
  static final int PUSHER = 2;
  static final int CACHE = 3;
  static final int NODE = 4;

  /** An address for a service's setting. */
  static String address(int port) {
    return "127.0.0.1:" + port;
  }

  int admin(int service) {
    return admin == 0 ? 0 : admin + service;
  }

  /** Fails with one line that names the first port that is taken and the option that moves it. */
  void needFree(boolean ownRegistry, boolean node) {
    Machine.needPort(webhook, "the registry's notifications", "--webhook-port");
    Machine.needPort(cache, "the fleet's cache", "--cache-port");
    if (ownRegistry) {
      Machine.needPort(registry, "the registry", "--registry-port");
    }
    Machine.needPort(kafka, "the embedded Kafka broker", "--kafka-port");
    for (int service = 0; service < (node ? SERVICES.length : NODE); service++) {
      Machine.needPort(
          admin(service), "health and metrics of " + SERVICES[service], "--admin-port");
    }
  }
}
