package dev.socifleet.node.layers;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Lazy layers that are plain directories, filled when they are added. Strict: a layer that nobody
 * announced, a zTOC of another digest, or a layer removed twice fail.
 */
public final class DirectoryLayers implements LazyLayers {
  /** Fills a layer's directory. */
  @FunctionalInterface
  public interface Content {
    void writeTo(Path directory) throws IOException, UnservableLayerException;
  }

  private final Path mount;
  private final Map<Digest, Content> announced = new ConcurrentHashMap<>();
  private final Map<LayerKey, Path> added = new ConcurrentHashMap<>();
  private final Map<LayerKey, RootAttributes> roots = new ConcurrentHashMap<>();
  private final List<String> repositories = new ArrayList<>();
  private int next;

  public DirectoryLayers(Path mount) throws IOException {
    this.mount = Files.createDirectories(mount);
  }

  /** What the layer of this digest holds, when it will be added. */
  public void announce(Digest layer, Content content) {
    announced.put(layer, content);
  }

  /** What {@link #rootOf} answers for a layer. */
  public void root(LayerKey key, RootAttributes attributes) {
    roots.put(key, attributes);
  }

  /** The repositories that layers were added from, one for each call. */
  public synchronized List<String> repositories() {
    return List.copyOf(repositories);
  }

  @Override
  public synchronized Path add(LayerKey key, byte[] ztoc, RepositoryName repository)
      throws IOException, UnservableLayerException {
    if (!Digest.of(ztoc).equals(key.ztoc())) {
      throw new AssertionError("the zTOC is not the one of " + key);
    }
    repositories.add(repository.toString());
    Path known = added.get(key);
    if (known != null) {
      return known;
    }
    Content content = announced.get(key.layer());
    if (content == null) {
      throw new AssertionError("nobody announced layer " + key);
    }
    Path directory = Files.createDirectory(mount.resolve(Integer.toString(next++)));
    content.writeTo(directory);
    added.put(key, directory);
    return directory;
  }

  @Override
  public Optional<Path> find(LayerKey key) {
    return Optional.ofNullable(added.get(key));
  }

  @Override
  public Set<LayerKey> keys() {
    return Set.copyOf(added.keySet());
  }

  @Override
  public Optional<RootAttributes> rootOf(LayerKey key) {
    return Optional.ofNullable(roots.get(key));
  }

  @Override
  public void remove(LayerKey key) {
    if (added.remove(key) == null) {
      throw new AssertionError("layer is not here: " + key);
    }
  }

  @Override
  public void close() {}
}
