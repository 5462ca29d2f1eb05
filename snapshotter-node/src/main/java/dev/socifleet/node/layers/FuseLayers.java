package dev.socifleet.node.layers;

import dev.socifleet.fuse.FuseMount;
import dev.socifleet.node.database.NodeDatabase;
import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import dev.socifleet.service.Metrics;
import dev.socifleet.ztoc.Ztoc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lazy layers as directories of one FUSE mount.
 *
 * <pre>
 * layers/            state
 *   7/nodes          the layer's node table, written once
 *   7/ztoc           its zTOC
 *   7/spans          uncompressed bytes, as far as they are here
 *   7/present        which those are
 *   new-8/           being made; renamed when whole
 *   gone-6/          being deleted
 * </pre>
 *
 * <p>The database knows which of these directories count: {@code layer/7} has the layer's record,
 * {@code next-slot} and {@code next-ino} the numbers that weren't given away yet.
 */
public final class FuseLayers implements LazyLayers {
  private static final Logger log = LoggerFactory.getLogger(FuseLayers.class);
  private static final String LAYER = "layer/";
  private static final String NEXT_SLOT = "next-slot";
  private static final String NEXT_INO = "next-ino";

  /** After the root's. */
  private static final long FIRST_INO = 2;

  /** 32-bit programs can't be told of files behind this. */
  private static final long END_OF_INOS = 1L << 32;

  private static final int MOST_REPOSITORIES = 8;

  private final Path state;
  private final NodeDatabase database;
  private final LocalStore store;
  private final SpanFetcher fetcher;
  private final LayersFileSystem files = new LayersFileSystem();
  private final FuseMount mount;
  private final Map<LayerKey, LazyLayer> layers = new ConcurrentHashMap<>();

  /** One of these is held while a layer is added: each layer has the same one each time. */
  private final ReentrantLock[] adding =
      Stream.generate(ReentrantLock::new).limit(64).toArray(ReentrantLock[]::new);

  /** Guards what is written to the database and shown to the kernel. */
  private final ReentrantLock changing = new ReentrantLock();

  private long nextSlot;
  private long nextIno;

  private FuseLayers(
      Path mountDirectory,
      Path state,
      NodeDatabase database,
      LayerBytes bytes,
      Limits limits,
      Metrics metrics)
      throws IOException {
    this.state = Files.createDirectories(state);
    this.database = database;
    this.store = new LocalStore(limits.localBytes(), metrics);
    this.fetcher =
        new SpanFetcher(bytes, limits.concurrentFetches(), SpanFetcher.PATIENCE, metrics);
    nextSlot = number(NEXT_SLOT, 1);
    nextIno = number(NEXT_INO, FIRST_INO);
    try {
      openAll();
      show();
      makeDirectory(mountDirectory);
      this.mount = FuseMount.start(mountDirectory, files, FuseMount.Options.of("soci", "soci"));
    } catch (IOException e) {
      closeAll();
      throw e;
    }
    metrics.gauge("soci_node_layers", "Layers that are served lazily", layers::size);
  }

  /**
   * @param localBytes the most uncompressed bytes of spans that the node keeps
   * @param concurrentFetches the most requests for spans at once
   */
  public record Limits(long localBytes, int concurrentFetches) {}

  /**
   * Opens the layers that were added and not removed, and mounts them.
   *
   * @param mountDirectory made if needed; what a dead node left mounted there is detached
   * @param state directory of node tables, zTOCs and local spans
   * @param bytes where spans come from that aren't here; the caller closes it, afterwards
   */
  public static FuseLayers open(
      Path mountDirectory,
      Path state,
      NodeDatabase database,
      LayerBytes bytes,
      Limits limits,
      Metrics metrics)
      throws IOException {
    return new FuseLayers(mountDirectory, state, database, bytes, limits, metrics);
  }

  private static void makeDirectory(Path directory) throws IOException {
    if (directory.getParent() != null) {
      Files.createDirectories(directory.getParent());
    }
    try {
      Files.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      // Or what a dead node left mounted there, of which nothing else can be told.
      log.debug("{} is there", directory);
    }
  }

  private long number(String key, long absent) throws IOException {
    return database
        .get(key)
        .map(bytes -> Long.parseLong(new String(bytes, StandardCharsets.US_ASCII)))
        .orElse(absent);
  }

  private void openAll() throws IOException {
    for (Map.Entry<String, byte[]> entry : database.all(LAYER).entrySet()) {
      LayerRecord layer = LayerRecord.read(entry.getKey(), entry.getValue());
      try {
        layers.put(layer.key(), LazyLayer.open(layer, directory(layer.slot()), store, fetcher));
      } catch (IOException e) {
        // One broken layer must not keep the others, and their containers, from working.
        log.error("layer {} of this node can't be served: {}", layer.key(), e.toString());
      }
    }
    Set<String> kept = database.all(LAYER).keySet();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(state)) {
      for (Path directory : all) {
        if (!kept.contains(String.valueOf(directory.getFileName()))) {
          delete(directory);
        }
      }
    }
  }

  private Path directory(long slot) {
    return state.resolve(Long.toString(slot));
  }

  private Path shown(LazyLayer layer) {
    return mount.directory().resolve(Integer.toString(layer.slot));
  }

  @Override
  public Path add(LayerKey key, byte[] ztoc, RepositoryName repository)
      throws IOException, UnservableLayerException {
    ReentrantLock lock = adding[Math.floorMod(key.hashCode(), adding.length)];
    lock.lock();
    try {
      LazyLayer known = layers.get(key);
      if (known == null) {
        known = make(key, ztoc, repository);
      } else {
        remember(known, repository);
      }
      return shown(known);
    } finally {
      lock.unlock();
    }
  }

  private LazyLayer make(LayerKey key, byte[] bytes, RepositoryName repository)
      throws IOException, UnservableLayerException {
    if (!Digest.of(bytes).equals(key.ztoc())) {
      throw new IOException("the zTOC of layer " + key.layer() + " isn't " + key.ztoc());
    }
    Ztoc ztoc = Ztoc.parse(bytes);
    if (ztoc.whyUnservable().isPresent()) {
      throw new UnservableLayerException(ztoc.whyUnservable().get());
    }
    long slot = newSlot();
    Path made = state.resolve("new-" + slot);
    delete(made);
    Files.createDirectory(made);
    LazyLayer opened = null;
    try {
      int nodes = NodeTableWriter.write(ztoc, made.resolve("nodes"));
      writeSynced(made.resolve("ztoc"), bytes);
      Files.move(made, directory(slot), StandardCopyOption.ATOMIC_MOVE);
      sync(state);
      changing.lock();
      try {
        long firstIno = newInos(nodes);
        LayerRecord layer = new LayerRecord(key, (int) slot, firstIno, nodes, List.of(repository));
        opened = LazyLayer.open(layer, directory(slot), store, fetcher);
        database.write(
            new NodeDatabase.Batch()
                .put(NEXT_INO, ascii(nextIno))
                .put(LAYER + slot, layer.write()));
        layers.put(key, opened);
        show();
        return opened;
      } finally {
        changing.unlock();
      }
    } catch (IOException | UnservableLayerException e) {
      if (opened != null) {
        opened.close();
      }
      delete(made);
      delete(directory(slot));
      throw e;
    }
  }

  private long newSlot() throws IOException {
    changing.lock();
    try {
      if (nextSlot > Integer.MAX_VALUE) {
        throw new IOException("this node has used up its 2,147,483,647 layer slots");
      }
      database.write(new NodeDatabase.Batch().put(NEXT_SLOT, ascii(nextSlot + 1)));
      return nextSlot++;
    } finally {
      changing.unlock();
    }
  }

  /** Inode numbers that no layer on the mount has; after 4 billion they begin anew. */
  private long newInos(int nodes) throws IOException {
    List<LazyLayer> all = new ArrayList<>(layers.values());
    all.sort(Comparator.comparingLong(layer -> layer.firstIno));
    long first = nextIno;
    if (first + nodes > END_OF_INOS) {
      first = FIRST_INO;
    }
    for (LazyLayer layer : all) {
      long end = layer.firstIno + layer.table.nodes();
      if (first < end && layer.firstIno < first + nodes) {
        first = end;
      }
    }
    if (first + nodes > END_OF_INOS) {
      throw new IOException("this node has no " + nodes + " inode numbers in a row left");
    }
    nextIno = first + nodes;
    return first;
  }

  private void remember(LazyLayer layer, RepositoryName repository) throws IOException {
    if (layer.repositories().getFirst().equals(repository)) {
      return;
    }
    List<RepositoryName> known = new ArrayList<>(layer.repositories());
    known.remove(repository);
    known.addFirst(repository);
    List<RepositoryName> kept = known.subList(0, Math.min(MOST_REPOSITORIES, known.size()));
    LayerRecord changed =
        new LayerRecord(layer.key, layer.slot, layer.firstIno, layer.table.nodes(), kept);
    database.write(new NodeDatabase.Batch().put(LAYER + layer.slot, changed.write()));
    layer.repositories(kept);
  }

  @Override
  public Optional<Path> find(LayerKey key) {
    return Optional.ofNullable(layers.get(key)).map(this::shown);
  }

  @Override
  public Set<LayerKey> keys() {
    return Set.copyOf(layers.keySet());
  }

  @Override
  public Optional<RootAttributes> rootOf(LayerKey key) {
    return Optional.ofNullable(layers.get(key))
        .map(layer -> layer.table)
        .filter(NodeTable::hasRootMember)
        .map(NodeTable::root);
  }

  @Override
  public void remove(LayerKey key) throws IOException {
    LazyLayer removed;
    changing.lock();
    try {
      removed = layers.remove(key);
      if (removed == null) {
        return;
      }
      database.write(new NodeDatabase.Batch().delete(LAYER + removed.slot));
      show();
    } finally {
      changing.unlock();
    }
    removed.close();
    Path gone = state.resolve("gone-" + removed.slot);
    Files.move(directory(removed.slot), gone, StandardCopyOption.ATOMIC_MOVE);
    delete(gone);
  }

  private void show() {
    files.show(
        layers.values().stream()
            .sorted(Comparator.comparingInt(layer -> layer.slot))
            .toArray(LazyLayer[]::new));
  }

  /** Unmounts, or detaches while something still uses the mount, and closes in order. */
  @Override
  public void close() {
    mount.close();
    closeAll();
  }

  private void closeAll() {
    fetcher.close();
    for (LazyLayer layer : layers.values()) {
      try {
        layer.close();
      } catch (IOException e) {
        log.warn("layer {} wasn't closed in order: {}", layer.key, e.toString());
      }
    }
    store.close();
  }

  private static byte[] ascii(long number) {
    return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
  }

  private static void writeSynced(Path file, byte[] bytes) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
