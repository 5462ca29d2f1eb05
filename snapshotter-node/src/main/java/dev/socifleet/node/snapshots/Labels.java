package dev.socifleet.node.snapshots;

/** Labels of snapshots that mean something to us; users know them from the existing snapshotter. */
public final class Labels {
  /** The chain id that containerd will know the snapshot by: a layer is wanted, not a container. */
  public static final String TARGET = "containerd.io/snapshot.ref";

  public static final String IMAGE = "containerd.io/snapshot/cri.image-ref";
  public static final String MANIFEST = "containerd.io/snapshot/cri.manifest-digest";
  public static final String LAYER = "containerd.io/snapshot/cri.layer-digest";

  /** This layer and the following ones, comma-separated. */
  public static final String LAYERS = "containerd.io/snapshot/cri.image-layers";

  /** An explicit index instead of a search for one. */
  public static final String INDEX = "containerd.io/snapshot/remote/soci.index.digest";

  /** Written on lazy snapshots. */
  public static final String REMOTE = "containerd.io/snapshot/remote";

  public static final String REMOTE_VALUE = "remote snapshot";
  public static final String INDEXED = "containerd.io/snapshot/remote/has.soci.index.digest";
  public static final String NAMESPACE = "containerd.io/snapshot/remote/namespace";

  private Labels() {}
}
