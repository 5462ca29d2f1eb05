package dev.socifleet.events;

import java.time.Duration;

/** The topics of the pipeline. Every record is keyed by {@code registry/repository}. */
public enum Topic {
  PUSHES("pushes", 12, Duration.ofDays(7), false),
  LAYERS("layers", 12, Duration.ofDays(7), false),
  LAYERS_BULK("layers.bulk", 12, Duration.ofDays(7), false),
  ZTOCS("ztocs", 12, Duration.ofDays(7), false),
  IMAGES("images", 12, Duration.ofDays(7), true),
  DELAYED_10S("delayed.10s", 3, Duration.ofDays(7), false),
  DELAYED_1M("delayed.1m", 3, Duration.ofDays(7), false),
  DELAYED_10M("delayed.10m", 3, Duration.ofDays(7), false),
  DEAD_LETTERS("dead-letters", 3, Duration.ofDays(30), false);

  private final String suffix;
  private final int partitions;
  private final Duration retention;
  private final boolean compacted;

  Topic(String suffix, int partitions, Duration retention, boolean compacted) {
    this.suffix = suffix;
    this.partitions = partitions;
    this.retention = retention;
    this.compacted = compacted;
  }

  /** The topic's name under a prefix: {@code soci} gives {@code soci.pushes}. */
  public String name(String prefix) {
    return prefix + "." + suffix;
  }

  public int partitions() {
    return partitions;
  }

  /** How long records stay; for a compacted topic, how long tombstones do. */
  public Duration retention() {
    return retention;
  }

  public boolean compacted() {
    return compacted;
  }
}
