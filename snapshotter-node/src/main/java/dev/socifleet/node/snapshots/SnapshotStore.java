package dev.socifleet.node.snapshots;

import static dev.socifleet.node.snapshots.SnapshotException.Reason.ALREADY_EXISTS;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.FAILED_PRECONDITION;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.INVALID_ARGUMENT;
import static dev.socifleet.node.snapshots.SnapshotException.Reason.NOT_FOUND;

import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.node.layers.LayerKey;
import dev.socifleet.node.snapshots.Snapshot.Kind;
import dev.socifleet.node.snapshots.Snapshot.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The snapshots of this node, in memory and in the database; each change is durable before it is
 * seen. Thread-safe: one change at a time.
 *
 * <p>The rules are those of containerd's own metadata store: a parent exists and is committed; what
 * has children is not removed; a name is taken once; only active snapshots are committed.
 */
public final class SnapshotStore {
  private static final String SNAPSHOT = "snapshot/";
  private static final String NEXT_ID = "next-id";

  private final NodeDatabase database;
  private final TreeMap<String, Snapshot> snapshots = new TreeMap<>();
  private long nextId;

  /** What has to exist on disk before a snapshot may: its directories. */
  @FunctionalInterface
  interface Directories {
    void make(long id, List<Snapshot> parents) throws IOException;
  }

  /** What {@link #withoutChanges} does. */
  @FunctionalInterface
  interface WithIds {
    void run(Set<Long> ids) throws IOException;
  }

  private SnapshotStore(NodeDatabase database) {
    this.database = database;
  }

  /** Reads what the database holds; it stays the caller's to close. */
  public static SnapshotStore open(NodeDatabase database) throws IOException {
    SnapshotStore store = new SnapshotStore(database);
    for (Map.Entry<String, byte[]> entry : database.all(SNAPSHOT).entrySet()) {
      store.snapshots.put(entry.getKey(), SnapshotRecord.read(entry.getKey(), entry.getValue()));
    }
    store.nextId =
        Long.parseLong(
            database.get(NEXT_ID).map(b -> new String(b, StandardCharsets.US_ASCII)).orElse("1"));
    return store;
  }

  synchronized Optional<Snapshot> find(String name) {
    return Optional.ofNullable(snapshots.get(name));
  }

  synchronized Snapshot get(String name) throws SnapshotException {
    Snapshot found = snapshots.get(name);
    if (found == null) {
      throw new SnapshotException(NOT_FOUND, "snapshot " + name + " does not exist");
    }
    return found;
  }

  /** All snapshots, the lazy ones first, each group sorted by name. */
  synchronized List<Snapshot> all() {
    List<Snapshot> all = new ArrayList<>(snapshots.size());
    snapshots.values().stream().filter(s -> s.lazyLayer() != null).forEach(all::add);
    snapshots.values().stream().filter(s -> s.lazyLayer() == null).forEach(all::add);
    return all;
  }

  private Set<Long> ids() {
    Set<Long> ids = new HashSet<>();
    snapshots.values().forEach(snapshot -> ids.add(snapshot.id()));
    return ids;
  }

  /** Whether a snapshot's content is this layer. */
  synchronized boolean uses(LayerKey layer) {
    return snapshots.values().stream().anyMatch(snapshot -> layer.equals(snapshot.lazyLayer()));
  }

  /** Does something while nothing changes, with the numbers of all snapshots. */
  synchronized void withoutChanges(WithIds action) throws IOException {
    action.run(ids());
  }

  /** The parents of a snapshot, nearest first. */
  synchronized List<Snapshot> parents(Snapshot snapshot) throws SnapshotException {
    return chain(snapshot.parent());
  }

  private List<Snapshot> chain(String name) throws SnapshotException {
    List<Snapshot> chain = new ArrayList<>();
    for (String next = name; !next.isEmpty(); next = chain.getLast().parent()) {
      chain.add(get(next));
    }
    return chain;
  }

  /** Makes an active snapshot or a view, with its directories. */
  synchronized Snapshot create(
      Kind kind, String key, String parent, Map<String, String> labels, Directories directories)
      throws SnapshotException, IOException {
    requireNewName(key);
    List<Snapshot> parents = committedChain(parent);
    Instant now = now();
    Snapshot made = new Snapshot(key, nextId, parent, kind, labels, now, now, Usage.NONE, null);
    directories.make(made.id(), parents);
    addWithNewId(made);
    return made;
  }

  /** Makes a committed snapshot whose content is a lazy layer. */
  synchronized Snapshot createLazy(
      String name, String parent, Map<String, String> labels, LayerKey layer)
      throws SnapshotException, IOException {
    requireNewName(name);
    committedChain(parent);
    Instant now = now();
    Snapshot made =
        new Snapshot(name, nextId, parent, Kind.COMMITTED, labels, now, now, Usage.NONE, layer);
    addWithNewId(made);
    return made;
  }

  /** Lets another layer be the content of a lazy snapshot: the same layer by another zTOC. */
  synchronized void replaceLayer(String name, LayerKey layer)
      throws SnapshotException, IOException {
    Snapshot old = get(name);
    if (old.lazyLayer() == null || !old.lazyLayer().layer().equals(layer.layer())) {
      throw new SnapshotException(
          FAILED_PRECONDITION, "snapshot " + name + " has another content than " + layer);
    }
    put(
        new Snapshot(
            name,
            old.id(),
            old.parent(),
            old.kind(),
            old.labels(),
            old.created(),
            now(),
            old.usage(),
            layer));
  }

  synchronized Snapshot commit(String key, String name, Map<String, String> labels, Usage usage)
      throws SnapshotException, IOException {
    Snapshot active = get(key);
    requireNewName(name);
    if (active.kind() != Kind.ACTIVE) {
      throw new SnapshotException(
          FAILED_PRECONDITION, "snapshot " + key + " is not active, so it cannot be committed");
    }
    Instant now = now();
    Snapshot committed =
        new Snapshot(
            name, active.id(), active.parent(), Kind.COMMITTED, labels, now, now, usage, null);
    database.write(
        new NodeDatabase.Batch()
            .delete(SNAPSHOT + key)
            .put(SNAPSHOT + name, SnapshotRecord.write(committed)));
    snapshots.remove(key);
    snapshots.put(name, committed);
    return committed;
  }

  synchronized Snapshot remove(String name) throws SnapshotException, IOException {
    Snapshot removed = get(name);
    Optional<Snapshot> child =
        snapshots.values().stream().filter(s -> s.parent().equals(name)).findFirst();
    if (child.isPresent()) {
      throw new SnapshotException(
          FAILED_PRECONDITION,
          "cannot remove snapshot " + name + ": " + child.get().name() + " is on top of it");
    }
    database.write(new NodeDatabase.Batch().delete(SNAPSHOT + name));
    snapshots.remove(name);
    return removed;
  }

  synchronized Snapshot relabel(String name, UnaryOperator<Map<String, String>> change)
      throws SnapshotException, IOException {
    Snapshot old = get(name);
    Snapshot changed = old.withLabels(change.apply(old.labels()), now());
    put(changed);
    return changed;
  }

  private void put(Snapshot snapshot) throws IOException {
    database.write(
        new NodeDatabase.Batch().put(SNAPSHOT + snapshot.name(), SnapshotRecord.write(snapshot)));
    snapshots.put(snapshot.name(), snapshot);
  }

  private void addWithNewId(Snapshot made) throws IOException {
    database.write(
        new NodeDatabase.Batch()
            .put(NEXT_ID, Long.toString(made.id() + 1).getBytes(StandardCharsets.US_ASCII))
            .put(SNAPSHOT + made.name(), SnapshotRecord.write(made)));
    nextId = made.id() + 1;
    snapshots.put(made.name(), made);
  }

  private void requireNewName(String name) throws SnapshotException {
    if (name.isEmpty()) {
      throw new SnapshotException(INVALID_ARGUMENT, "a snapshot needs a key or name");
    }
    if (snapshots.containsKey(name)) {
      throw new SnapshotException(ALREADY_EXISTS, "snapshot " + name + " already exists");
    }
  }

  private List<Snapshot> committedChain(String parent) throws SnapshotException {
    List<Snapshot> chain = chain(parent);
    if (!chain.isEmpty() && chain.getFirst().kind() != Kind.COMMITTED) {
      throw new SnapshotException(
          INVALID_ARGUMENT, "parent " + parent + " is not a committed snapshot");
    }
    return chain;
  }

  // What JSON and protobuf's Timestamp both carry without loss.
  private static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MICROS);
  }
}
