package dev.socifleet.embedded.registry;

import dev.socifleet.embedded.registry.SmallRegistry.Access;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** The last requests, and the bytes of blobs by User-Agent. Thread-safe. */
final class AccessLog {
  private static final int MOST = 10_000;
  private static final int MOST_AGENTS = 1_000;
  private static final int LONGEST_AGENT = 200;

  private final ArrayDeque<Access> recent = new ArrayDeque<>();
  private final Map<String, LongAdder> blobBytes = new ConcurrentHashMap<>();

  void add(Access access) {
    synchronized (recent) {
      if (recent.size() == MOST) {
        recent.removeFirst();
      }
      recent.addLast(access);
    }
  }

  /** Counts while a blob is on its way: a test may look before the answer ends. */
  void served(String userAgent, long bytes) {
    String agent = shortened(userAgent);
    LongAdder sum = blobBytes.get(agent);
    if (sum == null) {
      String key = blobBytes.size() < MOST_AGENTS ? agent : "";
      sum = blobBytes.computeIfAbsent(key, _ -> new LongAdder());
    }
    sum.add(bytes);
  }

  long bytesServed(String userAgentPrefix) {
    return blobBytes.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(userAgentPrefix))
        .mapToLong(entry -> entry.getValue().sum())
        .sum();
  }

  List<Access> recent() {
    synchronized (recent) {
      return List.copyOf(recent);
    }
  }

  static String shortened(String userAgent) {
    return userAgent.length() > LONGEST_AGENT ? userAgent.substring(0, LONGEST_AGENT) : userAgent;
  }
}
