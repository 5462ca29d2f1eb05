package dev.socifleet.node.layers;

import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The lazily readable layers of this node: directories of its one FUSE mount. Thread-safe. Survives
 * a restart: what was added stays until removed, and is served again without the network.
 */
public interface LazyLayers extends AutoCloseable {
  /**
   * Makes a layer readable, at most once however many ask.
   *
   * @param ztoc the bytes of the zTOC blob, whose digest is {@code key.ztoc()}
   * @param repository where the layer's spans can be pulled from; another one of a later call is
   *     remembered as well
   * @throws UnservableLayerException the layer can't be served truly from this zTOC; it has to be
   *     unpacked
   */
  Path add(LayerKey key, byte[] ztoc, RepositoryName repository)
      throws IOException, UnservableLayerException;

  /** The directory of a layer that was added, or empty. No network. */
  Optional<Path> find(LayerKey key);

  /** Every layer that was added and not removed. */
  Set<LayerKey> keys();

  /**
   * What the layer's tar says of its root directory, or empty where it has no entry for it or the
   * layer isn't here: an upper directory on top gets these. Answers from the node table, for the
   * node never touches its own mount.
   */
  Optional<RootAttributes> rootOf(LayerKey key);

  /** Takes a layer away and frees its local spans; open files in it answer ESTALE. */
  void remove(LayerKey key) throws IOException;

  @Override
  void close();
}
