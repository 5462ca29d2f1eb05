package dev.socifleet.node.snapshots;

import dev.socifleet.node.layers.LayerKey;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a snapshot.
 *
 * @param name the key of an active snapshot or view, the name of a committed one
 * @param id the number of its directory, never used twice
 * @param parent the name of the committed snapshot below it, or empty
 * @param usage what it holds above its parent; measured when it was committed
 * @param lazyLayer the layer that is its content, for a lazy one
 */
public record Snapshot(
    String name,
    long id,
    String parent,
    Kind kind,
    Map<String, String> labels,
    Instant created,
    Instant updated,
    Usage usage,
    @Nullable LayerKey lazyLayer) {
  /** The states of a snapshot. */
  public enum Kind {
    VIEW,
    ACTIVE,
    COMMITTED
  }

  /** Disk space in bytes, and the number of files and directories. */
  public record Usage(long bytes, long inodes) {
    public static final Usage NONE = new Usage(0, 0);
  }

  public Snapshot {
    labels = Map.copyOf(labels);
  }

  public Optional<LayerKey> lazy() {
    return Optional.ofNullable(lazyLayer);
  }

  Snapshot withLabels(Map<String, String> newLabels, Instant now) {
    return new Snapshot(name, id, parent, kind, newLabels, created, now, usage, lazyLayer);
  }
}
